"""The incident as one page to hand on.

In: a store's reader, the named queries, the findings in words. Out: one HTML text without any
script. Must not know how findings are made, or where the page is written.
"""
