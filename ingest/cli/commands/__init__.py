"""One module per command: options in, one call, text out."""
