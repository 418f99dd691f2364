"""Generated pages: ``python -m docs.generate`` writes them, ``--check`` compares them."""
