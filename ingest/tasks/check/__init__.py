"""Whether a log has what the queries need. In: log files, queries. Out: coverage, and advice."""
