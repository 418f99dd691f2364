"""What a row is.

In: parsed chunks. Out: the rows of every table as Arrow, then what one commit changes; one module
per table. Knows no file, clock or database.
"""
