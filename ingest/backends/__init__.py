"""Databases that can be a store; nothing outside this package knows one by its name."""
