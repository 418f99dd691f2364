"""Where the files that come with the package are: the query library and the migrations."""

from importlib.util import find_spec
from pathlib import Path


def folder(name: str) -> Path:
    """Folder ``queries``, ``profiles`` or ``migrations``: ``ttsq_NAME``, or beside ``ingest``."""
    beside = Path(__file__).resolve().parent.parent / name
    if (beside / "versions").is_dir() or any(beside.glob("*.sql")) or any(beside.glob("*.toml")):
        return beside
    spec = find_spec(f"ttsq_{name}")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the folder {name} of ttsq is not installed")
    return Path(next(iter(spec.submodule_search_locations)))
