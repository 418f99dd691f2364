"""The store on a PostgreSQL server. Out: a class that keeps :mod:`ingest.stores.contract`."""
