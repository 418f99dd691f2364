"""The store in a DuckDB file. Out: a class that keeps the contract of :mod:`.contract`."""
