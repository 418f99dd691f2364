"""Our own SQL as ClickHouse reads it: parameters with their types, and a few names and forms.

Only what has one meaning is rewritten, by rules that look at words and parentheses: quoted texts
and comments stay as they are. What differs beyond that has a text of its own in
``queries/clickhouse``. A user's SQL is rewritten only where the server cannot read it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime

from ingest.lazily import matcher
from ingest.stores.binds import replace_binds

_TYPES = {
    "timestamptz": "DateTime64(6, 'UTC')",
    "timestamp with time zone": "DateTime64(6, 'UTC')",
    "text": "String",
    "varchar": "String",
    "bigint": "Int64",
    "integer": "Int32",
    "double precision": "Float64",
    "boolean": "Bool",
    "numeric": "Decimal(38, 9)",
    "date": "Date32",
}
# functions that count bytes where the others count characters, or have another name
_FUNCTIONS = {
    "left": "leftUTF8",
    "substr": "substringUTF8",
    "length": "lengthUTF8",
    "lower": "lowerUTF8",
    "upper": "upperUTF8",
    "starts_with": "startsWith",
}
_TYPE = "|".join(sorted(_TYPES, key=len, reverse=True))
_ENDS = matcher(r"\btimestamptz\s+'(-?)infinity'", re.I)
_INSTANT = matcher(r"\btimestamptz\s+('[0-9][^']*')", re.I)
_UPDATE = matcher(r"update (\w+) set (.*) where (.*)", re.I | re.S)
_TYPED = matcher(rf"\bcast\(\s*:(\w+)\s+as\s+({_TYPE})\s*\)", re.I)
_LIMIT = matcher(r"\blimit\s+cast\(\s*:(\w+)\s+as\s+bigint\s*\)", re.I)
_AS_TYPE = matcher(rf"\bas\s+({_TYPE})\s*\)", re.I)
_MEMBER = matcher(r"([\w.]+)\s*->>\s*(\x00\d+\x00|case\b)", re.I)
_NUMBERS = matcher(
    r"\bunnest\(cast\(string_to_array\((.+?), (\x00\d+\x00)\) as bigint\[\]\)\)", re.I
)
_HINT = matcher(r"\bas\s+(?:not\s+)?materialized\s*\(", re.I)
KEPT = "as materialized ("
_EXPRESSION = matcher(r"\b(\w+)\s+as\s*\(", re.I)
_COSTLY = matcher(r"\bgroup\s+by\b|\bover\b|\bdistinct\b|\bcount\(|\blimit\b", re.I)
_CASE = matcher(r"\b(case|end)\b", re.I)
_SELECT = matcher(r"\bselect\s+(?:distinct\s+)?", re.I)
_FROM = matcher(r"\bfrom\b", re.I)
_OF_TABLE = matcher(r"\s*\w+\.(\w+)\s*$")
_CALLED = matcher(rf"(?<![\w.])({'|'.join(_FUNCTIONS)})\(", re.I)
_QUOTED = matcher(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.S)
_MOST_OF_PARAMETER = 16_000  # characters, each of up to four bytes, any of which may be escaped
_FIRST = "toDateTime64('1900-01-01 00:00:00', 6, 'UTC')"
_LAST = "toDateTime64('2299-12-31 23:59:59.999999', 6, 'UTC')"


def as_here(sql: str, binds: Mapping[str, object] | None) -> str:
    """A statement with its ``:name`` parameters written as ``{name:Type}``.

    A type is that of the cast around the parameter, else that of its value. None: there are no
    parameters.
    """
    sql = _ENDS.sub(lambda m: _FIRST if m[1] else _LAST, sql)
    sql = _INSTANT.sub(r"parseDateTime64BestEffort(\1, 6, 'UTC')", sql)
    if binds is not None:
        sql = _LIMIT.sub(lambda m: "" if binds[m[1]] is None else f"limit {{{m[1]}:UInt64}}", sql)
        sql = _TYPED.sub(lambda m: _parameter(m[1], _TYPES[_name(m[2])], binds[m[1]]), sql)
    sql = _rewritten(sql)
    if binds is None:
        return sql
    return replace_binds(sql, lambda name: _parameter(name, type_of(binds[name]), binds[name]))


def update_of(sql: str) -> tuple[str, str, str]:
    """An UPDATE of ours: its table, its assignments as a REPLACE transformer has them, its rows."""
    match = _UPDATE.fullmatch(as_here(sql, None).strip())
    assert match is not None
    assigned = [part.partition("=") for part in _split(match[2])]
    written = ", ".join(f"{value.strip()} as {column.strip()}" for column, _, value in assigned)
    return match[1], written, match[3]


def is_long(value: object) -> bool:
    """Whether a value is sent as a table: the server takes no parameter of more than 128 KiB."""
    return isinstance(value, str) and len(value) > _MOST_OF_PARAMETER


def table_of(name: str) -> str:
    """The table of one row that a long parameter is sent as; its column is ``value``."""
    return f"sent_{name}"


def _parameter(name: str, kind: str, value: object) -> str:
    if is_long(value):
        return f"assumeNotNull((select value from {table_of(name)}))"
    return f"{{{name}:{f'Nullable({kind})' if value is None else kind}}}"


def type_of(value: object) -> str:
    """The type of a parameter that the statement does not tell."""
    if isinstance(value, bool):
        return "Bool"
    if isinstance(value, int):
        return "Int64"
    if isinstance(value, float):
        return "Float64"
    if isinstance(value, datetime):
        return "DateTime64(6, 'UTC')"
    return "Date32" if isinstance(value, date) else "String"


def _name(written: str) -> str:
    return " ".join(written.lower().split())


def _rewritten(sql: str) -> str:
    """The statement with the names and forms of ClickHouse; a quoted text is set aside meanwhile,
    so that no rule sees what stands in it.
    """
    plain, kept = _set_aside(sql)
    # a backslash means nothing in a text of standard SQL
    kept = [k.replace("\\", "\\\\") if k.startswith("'") else k for k in kept]
    plain = _members(_HINT.sub("as (", plain))
    plain = _NUMBERS.sub(r"arrayJoin(arrayMap(x -> toInt64(x), splitByChar(\2, \1)))", plain)
    plain = _AS_TYPE.sub(lambda m: f"as Nullable({_TYPES[_name(m[1])]}))", plain)
    plain = _CALLED.sub(lambda m: f"{_FUNCTIONS[m[1].lower()]}(", plain)
    for name, form in _FORMS.items():
        plain = _each_call(plain, name, form)
    plain = _each_call(plain, "regexp_replace", lambda inner, _: _replaced(inner, kept))
    plain = _named(plain)
    return _put_back(plain, kept)


def _set_aside(sql: str) -> tuple[str, list[str]]:
    """A statement with a mark for each quoted text and comment; and these."""
    kept: list[str] = []

    def set_aside(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"\x00{len(kept) - 1}\x00"

    return _QUOTED.sub(set_aside, sql), kept


def _put_back(plain: str, kept: list[str]) -> str:
    return re.sub("\x00(\\d+)\x00", lambda m: kept[int(m[1])], plain)


def reading_from(sql: str, tables: Mapping[str, str]) -> str:
    """A statement that reads subqueries where it names tables.

    A common table expression of a statement may have the name of the table that it reads itself.
    """
    plain, kept = _set_aside(sql)
    heads = []
    for name, subquery in tables.items():
        if not re.search(rf"\b{name}\b", plain):
            continue
        own = re.search(rf"\b{name}\s+as\s*\(", plain, re.I)
        if own is None:
            heads.append(f"{name} as {subquery}")
            continue
        end = _closing(plain, own.end())
        body = re.sub(rf"\bfrom\s+{name}\b", f"from {subquery} as {name}", plain[own.end() : end])
        plain = plain[: own.end()] + body + plain[end:]
    if heads:
        start = re.match(r"(?:\s|\x00\d+\x00)*(with\b)?", plain, re.I)
        assert start is not None
        rest = plain[start.end() :]
        plain = f"{plain[: start.start(1) if start[1] else start.end()]}with {', '.join(heads)}"
        plain += f", {rest}" if start[1] else f" {rest}"
    return _put_back(plain, kept)


def kept(sql: str) -> str:
    """A statement in which what is named more than once is worked out once.

    ClickHouse writes a common table expression out wherever it is named. Those that group, count or
    compare rows, or read one that does, are kept instead.
    """
    plain, quoted = _set_aside(sql)
    places = {m[1]: (m.start(), m.end()) for m in _EXPRESSION.finditer(plain)}
    if not places:
        return sql
    read = re.compile(rf"\b(?:from|join)\s+({'|'.join(places)})\b", re.I)
    used = read.findall(plain)
    costly: set[str] = set()
    for name, (_, begin) in places.items():  # one reads only those before it
        body = plain[begin : _closing(plain, begin)]
        if _COSTLY.search(body) or costly & {*read.findall(body)}:
            costly.add(name)
    for name, (start, begin) in reversed(places.items()):
        if name in costly and used.count(name) > 1:
            plain = f"{plain[:start]}{name} {KEPT}{plain[begin:]}"
    return _put_back(plain, quoted)


def _members(sql: str) -> str:
    """``->>`` as a function; on its right is a text, or a CASE that gives one."""
    start = 0
    while (match := _MEMBER.search(sql, start)) is not None:
        end = match.end() if match[2].startswith("\x00") else _end_of_case(sql, match.start(2))
        written = (
            f"JSONExtract(ifNull({match[1]}, ''), {sql[match.start(2) : end]}, 'Nullable(String)')"
        )
        sql = sql[: match.start()] + written + sql[end:]
        start = match.start() + len("JSONExtract(")
    return sql


def _end_of_case(sql: str, start: int) -> int:
    depth = 0
    for match in _CASE.finditer(sql, start):
        depth += 1 if match[1].lower() == "case" else -1
        if depth == 0:
            return match.end()
    return len(sql)


def _named(sql: str) -> str:
    """Columns ``t.c`` of a SELECT are called c, also where several tables have one."""
    start = 0
    while (match := _SELECT.search(sql, start)) is not None:
        end, place = _end_of_list(sql, match.end()), match.end()
        items = _split(sql[place:end])
        names = [named[1] if (named := _OF_TABLE.match(item)) else "" for item in items]
        written = ",".join(
            f"{item.rstrip()} as {name}{item[len(item.rstrip()) :]}"
            if name and names.count(name) == 1
            else item
            for item, name in zip(items, names, strict=True)
        )
        sql = sql[:place] + written + sql[end:]
        start = place
    return sql


def _end_of_list(sql: str, start: int) -> int:
    """Where the FROM of a SELECT stands, or where it ends without one."""
    ends = [m.start() for m in _FROM.finditer(sql, start) if _depth(sql[start : m.start()]) == 0]
    return min([*ends[:1], _closing(sql, start)])


def _split(sql: str) -> list[str]:
    """The parts between the commas that are within no parentheses."""
    parts, depth = [""], 0
    for char in sql:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _replaced(inner: str, kept: list[str]) -> tuple[str, int]:
    """``regexp_replace``: of all that match with the flag g, else of the first."""
    parts = _split(inner)
    flag = re.fullmatch(r"\s*\x00(\d+)\x00\s*", parts[3]) if len(parts) == 4 else None
    whole = flag is not None and kept[int(flag[1])] == "'g'"
    return f"{'replaceRegexpAll' if whole else 'replaceRegexpOne'}({','.join(parts[:3])})", 0


def _each_call(sql: str, name: str, form: Callable[[str, str], tuple[str, int]]) -> str:
    """Write each call of a function in another form.

    ``form`` gets what stands between its parentheses and what follows them; it gives what to write,
    and how much of what follows that stands for.
    """
    called = re.compile(rf"(?<![\w.]){name}\s*\(", re.I)
    start = 0
    while (match := called.search(sql, start)) is not None:
        end = _closing(sql, match.end())
        written, taken = form(sql[match.end() : end], sql[end + 1 :])
        sql = sql[: match.start()] + written + sql[end + 1 + taken :]
        start = match.start() + len(name) + 1
    return sql


def _closing(sql: str, start: int) -> int:
    """Where the parenthesis ends that was opened before ``start``."""
    depth = 1
    for place in range(start, len(sql)):
        depth += {"(": 1, ")": -1}.get(sql[place], 0)
        if depth == 0:
            return place
    return len(sql)


_WITHIN = matcher(r"\s*within\s+group\s*\(\s*order\s+by\s+", re.I)
_EPOCH = matcher(r"\s*epoch\s+from\s+", re.I)
_ORDERED = matcher(r"\s+order\s+by\s", re.I)


def _percentile(inner: str, behind: str) -> tuple[str, int]:
    within = _WITHIN.match(behind)
    if within is None:
        return f"percentile_cont({inner})", 0
    end = _closing(behind, within.end())
    return f"quantileExactInclusive({inner})({behind[within.end() : end]})", end + 1


def _epoch(inner: str, _: str) -> tuple[str, int]:
    of = _EPOCH.match(inner)
    if of is None:
        return f"extract({inner})", 0
    return f"(toUnixTimestamp64Micro({inner[of.end() :]}) / 1000000)", 0


def _instant(inner: str, _: str) -> tuple[str, int]:
    return f"fromUnixTimestamp64Micro(toInt64(round(({inner}) * 1000000)), 'UTC')", 0


def _unordered(inner: str, _: str) -> tuple[str, int]:
    """A sum whose order is told; exact enough, in any order, without it."""
    ordered = next((m for m in _ORDERED.finditer(inner) if _depth(inner[: m.start()]) == 0), None)
    return f"sum({inner[: ordered.start()] if ordered else inner})", 0


def _earlier(inner: str, _: str) -> tuple[str, int]:
    """The value of the row before, null where there is none: of a type without null it were 0."""
    value, comma, rest = inner.partition(",")
    return f"lag(toNullable({value}){comma}{rest})", 0


def _depth(sql: str) -> int:
    return sql.count("(") - sql.count(")")


_FORMS = {
    "percentile_cont": _percentile,
    "extract": _epoch,
    "to_timestamp": _instant,
    "sum": _unordered,
    "lag": _earlier,
}
