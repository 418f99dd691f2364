"""Imported last by the process that others are forked from: the profiles that come with ttsq, which
each ingest would read anew, a tenth to a third of what it takes in a test.
"""

from ingest.pipeline.profiles import profiles

profiles(None)  # as an ingest asks for them
