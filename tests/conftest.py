"""What all tests share: generated examples are the same in every run, except in a search."""

import os
import signal

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("search" if "TTSQ_EXAMPLES" in os.environ else "same")

# What a shell runs in the background ignores Ctrl-C, and so would every process that the tests
# start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
