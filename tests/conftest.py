"""What all tests share: generated examples are the same in every run, unless a search is asked for."""

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("search" if "TTSQ_EXAMPLES" in os.environ else "same")
