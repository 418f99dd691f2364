"""The one flow: find, lock, look, decide, prove, read, assemble, commit, settle.

In: paths, options, a store. Out: a RunReport. Must not know an engine, or how a report looks.
"""
