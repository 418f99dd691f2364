"""The words after ``ttsq run`` and ``ttsq show``: a query's name, and its parameters as options."""

from collections.abc import Sequence
from difflib import get_close_matches

import typer

from ingest.cli.options.context import options
from ingest.errors import UsageProblem
from ingest.named_queries.library import NamedQuery, load_query, query_paths
from ingest.stores.open import backend_of


def backend(ctx: typer.Context) -> str:
    """The name of the backend of a command's store."""
    return backend_of(options(ctx).url)


def named(ctx: typer.Context, words: Sequence[str]) -> tuple[NamedQuery | None, list[str]]:
    """The query that the words name, None for no words, and the words that are left.

    :raises UsageProblem: for a name that there is not, or options without a name.
    """
    folder = options(ctx).settings.query_folder
    name, rest = split_name(words, list(query_paths(folder, backend(ctx))))
    if name is not None:
        return load_query(name, folder, backend(ctx)), rest
    if rest:
        raise UsageProblem(
            f"no query is named before {rest[0]}",
            "for example: ttsq run failure_by_length --since 24h",
        )
    return None, []


def split_name(words: Sequence[str], known: Sequence[str]) -> tuple[str | None, list[str]]:
    """The query's name and the words that are left.

    It is the first word, or, when options come first, the first known name that is not an option's
    value.
    """
    for place, word in enumerate(words):
        value_of_option = place > 0 and _takes_value(words[place - 1])
        if not word.startswith("-") and (not value_of_option or place == 0):
            return word, [*words[:place], *words[place + 1 :]]
    for place, word in enumerate(words):
        if word.replace("-", "_") in known:
            return word, [*words[:place], *words[place + 1 :]]
    return None, list(words)


def _takes_value(word: str) -> bool:
    return word.startswith("--") and "=" not in word


def parse_params(query: NamedQuery, words: Sequence[str]) -> dict[str, str]:
    """``--name value`` and ``--name=value`` as a mapping; a boolean may stand alone, or as
    ``--no-name``.

    :raises UsageProblem: for an unknown option, a missing value or a word that is no option.
    """
    given: dict[str, str] = {}
    left = list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("--"):
            raise UsageProblem(
                f"the query {query.name} takes options only, not {word!r}",
                f"see: ttsq run {query.name} --help",
            )
        name, equals, value = word[2:].partition("=")
        name = name.replace("-", "_")
        if not equals:
            name, value = _value_of(query, name, left)
        if query.param(name) is None:
            raise unknown_option(query, name)
        given[name] = value
    return given


def _value_of(query: NamedQuery, name: str, left: list[str]) -> tuple[str, str]:
    """The parameter that an option without ``=`` sets, and its value, taken from the next words."""
    param = query.param(name)
    negated = query.param(name.removeprefix("no_"))
    if param is None and negated is not None and negated.type == "boolean":
        return negated.name, "false"
    if param is None:
        raise unknown_option(query, name)
    if param.type == "boolean" and (not left or left[0].startswith("--")):
        return name, "true"
    if not left:
        raise UsageProblem(
            f"the option {param.option} needs a value", f"{param.option}: {param.help}"
        )
    return name, left.pop(0)


_COMMON = (
    "columns", "color", "no_pager", "wide", "format", "output", "json", "chart", "fail_if_any",
    "as_of", "tz", "no_csv_guard", "help",
)  # fmt: skip


def unknown_option(query: NamedQuery, name: str) -> UsageProblem:
    """The error for an option that the query does not have, with the nearest that there is."""
    near = get_close_matches(name, [*(p.name for p in query.options), *_COMMON], n=1)
    hint = f"did you mean --{near[0].replace('_', '-')}?" if near else None
    return UsageProblem(
        f"the query {query.name} has no option --{name.replace('_', '-')}",
        hint or f"see: ttsq run {query.name} --help",
    )
