"""Superset's settings: where its metadata and the store are, passwords from files; it does not
start without them.

``TTSQ_SUPERSET_POSTGRES`` is ``HOST:PORT`` of the server that holds both databases.
``TTSQ_SUPERSET_SECRETS`` is the folder with the files ``superset_secret_key``,
``superset_admin_password``, ``superset_db_password``, ``reader_password``.
"""

import os
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

_SHORTEST = 16  # characters; `openssl rand -hex 32` writes 64


def _setting(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise RuntimeError(f"{name} is not set: deploy/README.md says what it is")
    return value


def secret(name: str) -> str:
    """What the file of that name in the folder of secrets says.

    :raises RuntimeError: when there is no such file, or hardly anything in it.
    """
    path = Path(_setting("TTSQ_SUPERSET_SECRETS")) / name
    try:
        found = path.read_text("utf-8").strip()
    except OSError as error:
        raise RuntimeError(f"cannot read the secret {path}: {error.strerror}") from error
    if len(found) < _SHORTEST:
        raise RuntimeError(f"the secret in {path} has fewer than {_SHORTEST} characters")
    return found


def _address() -> tuple[str, int]:
    host, _, port = _setting("TTSQ_SUPERSET_POSTGRES").rpartition(":")
    if not host or not port.isdigit():
        raise RuntimeError("TTSQ_SUPERSET_POSTGRES is HOST:PORT, such as postgres:5432")
    return host, int(port)


def _cache(prefix: str, seconds: int) -> dict[str, Any]:
    return {
        "CACHE_TYPE": "SimpleCache",
        "CACHE_KEY_PREFIX": f"ttsq_{prefix}_",
        "CACHE_DEFAULT_TIMEOUT": seconds,
    }


_HOST, _PORT = _address()
_READER_PASSWORD = secret("reader_password")
ADMIN_PASSWORD = secret("superset_admin_password")

SECRET_KEY = secret("superset_secret_key")
SQLALCHEMY_DATABASE_URI = URL.create(
    "postgresql+psycopg2",
    username="superset",
    password=secret("superset_db_password"),
    host=_HOST,
    port=_PORT,
    database="superset",
).render_as_string(hide_password=False)


def DB_CONNECTION_MUTATOR(uri: URL, params: dict[str, Any], *_: Any) -> tuple[URL, dict[str, Any]]:
    """The store's address and the reader's password, which therefore stand in no metadata."""
    if uri.username == "reader" and uri.database == "ttsq":
        uri = uri.set(host=_HOST, port=_PORT, password=_READER_PASSWORD)
    return uri, params


FEATURE_FLAGS = {"ENABLE_TEMPLATE_PROCESSING": True}  # the dashboard's time range, in the queries
CACHE_CONFIG = _cache("metadata", 300)
DATA_CACHE_CONFIG = _cache("data", 60)  # as often as the ingester comes by
FILTER_STATE_CACHE_CONFIG = _cache("filter", 86400)
EXPLORE_FORM_DATA_CACHE_CONFIG = _cache("explore", 86400)
RATELIMIT_STORAGE_URI = "memory://"
WTF_CSRF_ENABLED = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SQLLAB_TIMEOUT = 60  # seconds; also the role's own limit
SUPERSET_WEBSERVER_TIMEOUT = 60
ROW_LIMIT = 10_000
