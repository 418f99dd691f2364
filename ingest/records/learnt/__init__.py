"""Lines whose effect is learnt once from the general path, and then repeated by compiled code.

A service prints few different lines. What :mod:`ingest.records.claims` does with one depends on the
line's shape and on what is open, hardly ever on a number in it. So the general path is asked once
for each shape in each state, with symbols in place of all values: an answer that looked at a value
is none, and such lines go on to the general path (``trial``). In: bytes; out: rows of the scanner's
tables, the same as the general path's.
"""
