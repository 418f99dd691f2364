"""The store on a PostgreSQL server. Out: a class that keeps the contract of :mod:`ingest.stores.contract`."""
