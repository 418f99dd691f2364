"""One request's whole life.

In: an id, a store, its log files. Out: its events and lines in order.
"""
