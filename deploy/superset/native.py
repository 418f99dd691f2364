"""Run the stack without containers, once, from a checkout: PostgreSQL, roles, demo logs, Superset;
then ask for every chart's data.

``python deploy/superset/native.py VENV [PORT]``, in an environment with
``pip install -e '.[test]'``. Superset goes into VENV, which is made when missing (a gigabyte). With
PORT the stack stays up until Enter, to be looked at.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from tests.support import postgres_server  # noqa: E402

_START_SECONDS = 180.0
_PORT = 58088
_Environment = dict[str, str]


def run(*command: "str | Path", env: _Environment) -> None:
    """:raises subprocess.CalledProcessError: when it fails."""
    print("+", *command, flush=True)
    subprocess.run([str(word) for word in command], check=True, env=env)


def install(venv: Path, env: _Environment) -> None:
    """The packages of the image, if the environment is not there yet."""
    if not (venv / "bin" / "superset").exists():
        run(sys.executable, "-m", "venv", venv, env=env)
        run(venv / "bin" / "pip", "install", "-q", "-r", HERE / "requirements.txt", env=env)


def server(secrets: Path) -> postgres_server.Server:
    """One that asks everybody who comes by TCP for a password."""
    made = postgres_server.make_server()
    password = (secrets / "postgres_password").read_text()
    with made.connect() as connection:
        connection.execute(f"alter role postgres password '{password}'")
        hba = made.folder / "data" / "pg_hba.conf"
        hba.write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        connection.execute("select pg_reload_conf()")
    return made


def fill(made: postgres_server.Server, folder: Path, env: _Environment) -> None:
    """What the services ``roles``, ``readers`` and ``ingest`` do."""
    compose = ROOT / "deploy" / "compose"
    run(
        compose / "roles",
        env=env | {"PGHOST": "127.0.0.1", "PGPORT": str(made.port),
        "TTSQ_SECRETS": str(folder / "secrets")},
    )  # fmt: skip
    own = env | {
        "TTSQ_DB": made.tcp_url("ttsq", "ttsq"),
        "TTSQ_DB_PASSWORD_FILE": str(folder / "secrets" / "db_password"),
        "TTSQ_TZ": "UTC",
        "TTSQ_HOST": "tts-1",
    }
    for words in (
        ["db", "upgrade"],
        ["db", "grant-reader", "reader"],
        ["demo", "--tz", "UTC", str(folder / "logs")],
        ["ingest", str(folder / "logs")],
    ):
        run(sys.executable, "-m", "ingest", *words, env=own)


@contextmanager
def superset(venv: Path, folder: Path, pg_port: int, port: int) -> Iterator[str]:
    """Superset, provisioned and answering; its address.

    :raises RuntimeError: when it does not come up.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "SUPERSET"))} | {
        "PATH": f"{venv / 'bin'}:{os.environ['PATH']}",
        "HOME": str(folder),
        "SUPERSET_HOME": str(folder),
        "SUPERSET_CONFIG_PATH": str(HERE / "superset_config.py"),
        "TTSQ_SUPERSET_POSTGRES": f"127.0.0.1:{pg_port}",
        "TTSQ_SUPERSET_SECRETS": str(folder / "secrets"),
        "TTSQ_SUPERSET_BIND": f"127.0.0.1:{port}",
    }
    log = folder / "superset.log"
    with log.open("w") as out:
        process = subprocess.Popen([HERE / "start"], env=env, stdout=out, stderr=out, cwd=folder)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """:raises RuntimeError: when the process ends, or does not answer in time."""
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            urlopen(address, timeout=5).close()
            return
        except (URLError, OSError):
            time.sleep(1)
    raise RuntimeError(f"Superset did not come up:\n{log.read_text()[-4000:]}")


def main(arguments: list[str]) -> int:
    """The exit code of the check."""
    if len(arguments) not in (1, 2):
        print(__doc__)
        return 2
    venv = Path(arguments[0]).resolve()
    port = int(arguments[1]) if len(arguments) == 2 else _PORT
    tools = f"{postgres_server.binaries()}:{os.environ['PATH']}"
    env = {k: v for k, v in os.environ.items() if not k.startswith(("TTSQ_", "PG"))}
    env |= {"PATH": tools, "PYTHONPATH": str(ROOT)}
    install(venv, env)
    with tempfile.TemporaryDirectory(prefix="ttsq-superset-") as name:
        folder = Path(name)
        run(ROOT / "deploy" / "compose" / "make-secrets", folder / "secrets", env=env)
        made = server(folder / "secrets")
        fill(made, folder, env)
        with superset(venv, folder, made.port, port) as address:
            password = folder / "secrets" / "superset_admin_password"
            checked = subprocess.run([sys.executable, HERE / "check.py", address, password])
            if len(arguments) == 2 and checked.returncode == 0:
                input(
                    f"{address}/superset/dashboard/ttsq/ as admin, {password.read_text()}; "
                    "Enter ends it "
                )
        return checked.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
