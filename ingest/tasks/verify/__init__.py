"""Recount log files against a store.

In: a store, its files. Out: what is lost, doubled or stray.
"""
