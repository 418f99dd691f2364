"""Retry the quarantine. In: a store, its log files. Out: a report of what moved and what stays."""
