"""What is wrong and why. In: the columns of a window of time. Out: findings, ranked. Counts and compares; no file, clock or database."""
