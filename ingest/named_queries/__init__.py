"""The library of questions.

In: a name and what the user wrote. Out: one bound SELECT and what its columns mean. Runs nothing
except its own checks.
"""
