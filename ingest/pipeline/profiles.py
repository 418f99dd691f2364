"""The profiles that a run reads with: those that come with ttsq, and a user's own."""

from functools import cache
from pathlib import Path

from ingest.records.profile_file import read_profile
from ingest.records.profiles import Profiles, together
from ingest.resources import folder


@cache
def profiles(own: Path | None = None) -> Profiles:
    """All profiles, compiled, once a process; those of the folder ``own`` add to the shipped ones and replace them by name.

    :raises ProfileError: for a profile that cannot be read, naming file and line.
    """
    folders = [folder("profiles"), *([own] if own is not None else [])]
    files = [path for each in folders for path in sorted(each.glob("*.toml"))]
    return together(
        read_profile(str(path.name), path.read_text(encoding="utf-8")) for path in files
    )
