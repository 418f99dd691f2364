"""Passwords in the URL of a store: put in, and kept out of sight."""

import re
from urllib.parse import quote

from ingest.lazily import matcher

_HIDDEN = "***"
_PASSWORD = matcher(r"(://[^:@/?#]*:).*@", re.S)
_PASSWORD_OPTION = matcher(
    r"([?&][^=&]*(?:password|passwd|passphrase|pwd|secret|token)[^=&]*=)[^&]*", re.I
)
_USER_ONLY = matcher(r"([\w+.-]+://[^:@/?#]+)@")
# settings of a session: only those are shown that hold no secret under any name
_SESSION_OPTIONS = matcher(
    r"([?&]options=)(?!(?:%20|\+|-c|search_path(?:=|%3D)[\w,.%]*)+(?:&|$))[^&]*", re.I
)


def without_password(url: str) -> str:
    """A URL that may be shown: ``***`` for a password before the host or in its options."""
    hidden = _PASSWORD.sub(rf"\1{_HIDDEN}@", url)
    hidden = _SESSION_OPTIONS.sub(rf"\1{_HIDDEN}", hidden)
    return _PASSWORD_OPTION.sub(rf"\1{_HIDDEN}", hidden)


def with_option(url: str, name: str, value: str) -> str:
    """A URL with a word in its query; as it is where it has that word already."""
    base, _, query = url.partition("?")
    if any(part.partition("=")[0] == name for part in query.split("&")):
        return url
    return f"{base}?{query}{'&' if query else ''}{name}={quote(value, safe='')}"


def without_option(url: str, name: str) -> str:
    """A URL without a word of its query."""
    base, _, query = url.partition("?")
    kept = [part for part in query.split("&") if part and part.partition("=")[0] != name]
    return f"{base}?{'&'.join(kept)}" if kept else base


def with_password(url: str, password: str) -> str | None:
    """A server's URL with the password added; None without a user, or with a password."""
    named = _USER_ONLY.match(url)
    if named is None:
        return None
    return f"{named[1]}:{quote(password, safe='')}{url[named.end() - 1 :]}"
