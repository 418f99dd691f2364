"""Triage: fetches a window's columns, has ingest.causes judge them, and words the findings."""
