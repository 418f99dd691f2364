"""How rows look.

In: rows and a Look. Out: table, csv, json, markdown, parquet, chart. What comes from a log is made
harmless here, and only here. Must not know where rows come from.
"""
