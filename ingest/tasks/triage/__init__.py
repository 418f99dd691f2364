"""Triage: fetches a window's columns from the store, has them thought about (ingest.causes), and words what was found."""
