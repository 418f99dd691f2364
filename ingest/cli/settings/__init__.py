"""The settings: file and environment in, one checked value out."""
