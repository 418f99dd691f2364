"""The profiles that a run reads with: those that come with ttsq, and a user's own."""

from functools import cache
from pathlib import Path

from ingest.errors import ProfileError
from ingest.records.profile_kept import of_kept
from ingest.records.profiles import Profile, Profiles, together
from ingest.resources import folder

SHIPPED = "shipped.json"  # made of the files beside it: python -m docs.generate


@cache
def profiles(own: Path | None = None) -> Profiles:
    """All profiles, compiled, once a process; those of the folder ``own`` add to the shipped ones
    and replace them by name.

    :raises ProfileError: for a profile that cannot be read, naming file and line.
    """
    shipped = of_kept((folder("profiles") / SHIPPED).read_text(encoding="utf-8"))
    return together([*shipped, *(of_folder(own) if own is not None else [])])


def of_folder(own: Path) -> list[Profile]:
    """The profiles of a user's folder, by their files' names.

    :raises ProfileError: for a folder or a profile that cannot be read.
    """
    return [read_file(path, str(path)) for path in files_of(own)]


def files_of(own: Path) -> list[Path]:
    """The files of a user's folder that are profiles; what editors hide there is none.

    :raises ProfileError: for a folder that cannot be read.
    """
    try:
        names = sorted(own.iterdir())
    except OSError as error:
        raise ProfileError(
            f"cannot read the profile folder {own}: {error.strerror}",
            "correct profile_folder in the settings, or make the folder",
        ) from error
    return [path for path in names if path.suffix == ".toml" and not path.name.startswith(".")]


def read_file(path: Path, shown: str) -> Profile:
    """The profile in a file, which messages call ``shown``.

    :raises ProfileError: naming file and line.
    """
    from ingest.records.profile_file import read_profile  # with TOML: for a user's own

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ProfileError(
            f"cannot read the profile {shown}: {error.strerror}", f"ls -l {shown}"
        ) from error
    except UnicodeDecodeError as error:
        raise ProfileError(
            f"the profile {shown} is not UTF-8 (byte {error.start})", "save it as UTF-8"
        ) from error
    return read_profile(shown, text)
