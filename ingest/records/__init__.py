"""What a record is.

In: bytes that begin at a record, and a format. Out: records, pairs, instants and rejects; every
byte is accounted for. Knows no file, clock or database.
"""
