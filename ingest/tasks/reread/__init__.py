"""Forget a log file's rows and read it anew. In: a store, paths. Out: a report of what went and
what came.
"""
