"""What a table is, and the engines that hold tables.

In: changes and checkpoints, committed together or not at all; SQL. Out: rows. One folder per
engine: none knows another, and nobody outside this room knows one.
"""
