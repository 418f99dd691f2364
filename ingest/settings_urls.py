"""Passwords in the URL of a store, kept out of sight."""

import re

_HIDDEN = "***"
_PASSWORD = re.compile(r"(://[^:@/?#]*:).*@", re.S)
_PASSWORD_OPTION = re.compile(
    r"([?&][^=&]*(?:password|passwd|passphrase|pwd|secret|token)[^=&]*=)[^&]*", re.I
)


def without_password(url: str) -> str:
    """A URL as it may be shown: ``***`` for a password in front of the host or among its options."""
    return _PASSWORD_OPTION.sub(rf"\1{_HIDDEN}", _PASSWORD.sub(rf"\1{_HIDDEN}@", url))
