"""A named query for people: its help, its object for programs, its SQL to copy."""

from collections.abc import Mapping
from textwrap import fill

from ingest.named_queries.fold import folded
from ingest.named_queries.library import NamedQuery
from ingest.named_queries.params import Param
from ingest.named_queries.values import sql_literal
from ingest.stores.binds import binds, replace_binds

_WIDTH = 100  # cells
_INDENT = 28  # cells before the help of an option


def help_text(query: NamedQuery) -> str:
    """What ``ttsq run NAME --help`` prints."""
    options = [_option(param) for param in query.params]
    columns = [_entry(f"  {c.name} ({c.type})", c.help) for c in query.columns]
    return "\n".join(
        [
            f"Usage: ttsq run {query.name} [OPTIONS]",
            "",
            f"  {query.question}",
            f"  {query.summary[:1].upper()}{query.summary[1:]}.",
            "",
            "Parameters:",
            *options,
            *_filters(query),
            "",
            "Columns:",
            *columns,
            "",
            f"Order: {', '.join(query.order)}",
            f"Needs in the logs: {', '.join(query.needs) or 'no field in particular'} (ttsq check)",
            "Output: --format, -o FILE, --json, --chart, --fail-if-any, --as-of, --tz; see "
            "ttsq run --help",
        ]
    )


def _filters(query: NamedQuery) -> list[str]:
    if not query.filters:
        return []
    return [
        "",
        "Filters, for an answer as if the store had nothing else:",
        *map(_option, query.filters),
    ]


def _option(param: Param) -> str:
    default = f" [default: {param.default}]" if param.default is not None else ""
    return _entry(f"  {param.option} {param.type.upper()}", param.help + default)


def _entry(head: str, text: str) -> str:
    indent = " " * _INDENT
    body = fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)
    if len(head) < _INDENT - 1:
        return head + body[len(head) :]
    return f"{head}\n{body}"


def as_object(query: NamedQuery) -> dict[str, object]:
    """What ``ttsq queries --json`` says of a query."""
    return {
        "name": query.name,
        "group": query.group,
        "summary": query.summary,
        "question": query.question,
        "params": [_param_object(p) for p in query.params],
        "filters": [_param_object(p) for p in query.filters],
        "columns": [{"name": c.name, "type": c.type, "help": c.help} for c in query.columns],
        "chart": {"kind": query.chart.kind, **query.chart.axes},
        "order": list(query.order),
        "needs": [name for name in query.needs if name != "none"],
        "file": str(query.path),
    }


def _param_object(param: Param) -> dict[str, object]:
    return {
        "name": param.name, "type": param.type, "default": param.default, "help": param.help
    }  # fmt: skip


def shown_sql(query: NamedQuery, values: Mapping[str, object], literals: bool) -> str:
    """The statement with its filters, its parameters' values in a comment, or in their places."""
    sql = query.statement(values)
    used = binds(sql)
    written = {p.name: sql_literal(values[p.name], p.type) for p in query.options if p.name in used}
    head = [f"-- {query.name}: {query.question}"]
    if literals:
        return "\n".join([*head, folded(replace_binds(sql, written.__getitem__))])
    head += [f"-- :{name} = {value}" for name, value in written.items()]
    return "\n".join([*head, sql])
