"""The store on a ClickHouse server. Out: a class that keeps :mod:`ingest.stores.contract`."""
