"""Recount log files against a store. In: a store, its log files. Out: what is lost, doubled or stray."""
