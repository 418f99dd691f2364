"""The words that a message or a name of a structured record is made of (pure)."""

from ingest.lazily import matcher
from ingest.records import structured_words as words

_LONGEST = 240  # characters that are looked at
_CAMEL = matcher(r"(?<=[a-z0-9])(?=[A-Z])")
_WORDS = matcher(r"[A-Za-z]+|[\u4e00-\u9fff]+")


def apart(name: str, between: str) -> str:
    """A name with something between the words that only capitals part (``audioMs``)."""
    return _CAMEL.sub(between, name)


def names_speech(name: str) -> bool:
    """Whether one of a name's words is of speech."""
    return not words.SPEECH.isdisjoint(tokens(name))


def tokens(message: str) -> list[str]:
    """The words of a message or name, in lower case; Chinese is cut into the words known here."""
    found: list[str] = []
    for part in _WORDS.findall(apart(message[:_LONGEST], " ")):
        found += [part.lower()] if part.isascii() else _cut(part)
    return found


_CHINESE = sorted(
    (
        word
        for group in (
            words.SPEECH, words.UNITS, words.RUNNERS, words.FILLERS, words.STARTS, words.ENDS,
            words.FAILURES,
        )
        for word in group
        if not word.isascii()
    ),
    key=len,
    reverse=True,
)  # fmt: skip


def _cut(text: str) -> list[str]:
    found, at = [], 0
    while at < len(text):
        word = next((w for w in _CHINESE if text.startswith(w, at)), None)
        if word is None:
            return [text]
        found.append(word)
        at += len(word)
    return found
