"""Pages that are generated from the code: ``python -m docs.generate`` writes them anew, ``--check`` compares them."""
