"""Say whether a log holds what the queries need. In: log files, queries. Out: coverage, and what to add."""
