"""Log files on disk.

In: paths, and the checkpoints that a store has. Out: which file is which, where to start and why,
and its decompressed bytes from there. Knows no record and no database.
"""
