"""Write deploy/requirements.lock: what the image installs, each with its hash.

Run it on the platform of the image, with the Python of the image, from a checkout:
``python deploy/lock.py``.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "deploy/requirements.lock"
_HEAD = """\
# Written by deploy/lock.py: what the image installs, on {platform} with Python {version}.
# pip install --require-hashes --only-binary :all: -r deploy/requirements.lock
"""


def locked(wanted: str) -> list[str]:
    """Name, version and hash of everything that pip would install for ``wanted``, but itself."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    report = subprocess.run(
        [*command, "--only-binary", ":all:", "--report", "-", wanted],
        check=True, stdout=subprocess.PIPE, cwd=ROOT,
    ).stdout  # fmt: skip
    lines = []
    for item in json.loads(report)["install"]:
        archive = item["download_info"].get("archive_info")
        if archive is not None:  # the project itself is a folder
            name, version = item["metadata"]["name"], item["metadata"]["version"]
            lines.append(f"{name}=={version} --hash=sha256:{archive['hashes']['sha256']}")
    return sorted(lines, key=str.lower)


if __name__ == "__main__":
    from sysconfig import get_platform

    head = _HEAD.format(platform=get_platform(), version=sys.version.split()[0])
    LOCK.write_text(head + "\n".join(locked(".[clickhouse,postgres]")) + "\n", encoding="utf-8")
