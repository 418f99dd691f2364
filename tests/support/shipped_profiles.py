"""The profiles that come with ttsq, read once a process."""

from functools import cache

from ingest.records.profile_file import read_profile
from ingest.records.profiles import Profiles, together
from ingest.resources import folder


@cache
def shipped() -> Profiles:
    """All profiles of the folder ``profiles``, compiled."""
    files = sorted(folder("profiles").glob("*.toml"))
    return together(read_profile(path.name, path.read_text(encoding="utf-8")) for path in files)
