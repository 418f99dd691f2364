"""Loops that run as C.

In: a chunk's bytes and integer tables. Out: the same tables, filled. Imports nothing except its own
layout. Uncompiled, every module gives the same answers, slowly.
"""
