"""What is built on the flow and on the store: one module or folder per task, none imports another.

In: a store. Out: a report value. Prints nothing.
"""
