"""What is wrong and why.

In: columns of a window. Out: ranked findings. No file, clock or database.
"""
