"""``ttsq check``: what log files hold for the named queries; no store is opened."""

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from difflib import get_close_matches
from typing import Annotated

import typer

from ingest.cli.options.context import options, print_error, printable, reported
from ingest.cli.options.logs import (
    AccessFormatOption,
    DateFormat,
    EncodingOption,
    EnvelopeOption,
    GivenPins,
    LogFormat,
    ProfileOption,
    Zone,
    chosen_format,
    reading_progress,
)
from ingest.cli.options.query import backend
from ingest.cli.settings.load import zone
from ingest.errors import ExitCode
from ingest.named_queries.golden import BASES, BY_NAME
from ingest.named_queries.library import NamedQuery, load_library
from ingest.records.vocabulary import EVENTS, KEYS
from ingest.render.table import render_table
from ingest.stores.contract import QueryResult
from ingest.tasks.check.answers import (
    NO,
    PART,
    YES,
    Addition,
    Answer,
    additions,
    answers,
    gaps,
    is_gap,
)
from ingest.tasks.check.fields import FieldCount
from ingest.tasks.check.run import LogReport, check_logs

_EVENTS_SHOWN, _KEYS_SHOWN, _PATHS_SHOWN = 5, 10, 5
_MOST_PERCENT = 99.9  # what is shown of a share that is nearly, but not, all


def check(
    ctx: typer.Context,
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Log files, directories or quoted globs; plain, gzip or zstd.", metavar="PATH..."
        ),
    ],
    log_format: LogFormat = None,
    datefmt: DateFormat = None,
    access_format: AccessFormatOption = None,
    profile: ProfileOption = None,
    envelope: EnvelopeOption = None,
    encoding: EncodingOption = None,
    tz: Zone = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """See which named queries a log can answer.

    Counts the golden fields in the records, names the queries that have no answer or only part of
    one, and prints the lines to add to the service's logging. No store is needed or made. Exits
    with 1 when a field is missing.
    """
    with reported(options(ctx).debug):
        settings = options(ctx).settings
        fmt = chosen_format(
            settings, log_format, datefmt, access_format, GivenPins(profile, envelope, encoding)
        )
        library = load_library(settings.query_folder, backend(ctx))
        with reading_progress("check") as progress:
            report = check_logs(
                paths,
                fmt,
                zone(tz or settings.tz),
                progress=progress,
                profile_folder=settings.profile_folder,
            )
        _print(report, library, as_json)
        for problem in report.problems:
            print_error(problem)
        if report.problems:
            raise typer.Exit(int(ExitCode.LOG_FILE))
        if gaps(report.fields):
            raise typer.Exit(int(ExitCode.FOUND))


def _print(report: LogReport, library: list[NamedQuery], as_json: bool) -> None:
    found, added = answers(library, report.fields), additions(report.fields)
    if as_json:
        shown = json.dumps(_object(report, found, added), ensure_ascii=False, indent=2)
        typer.echo("".join(_escaped(c) for c in shown))
        return
    lines = Counter[str]()
    for (profile, _), count in report.rules.items():
        lines[profile] += count if profile != "codes" else 0
    engine = next((name for name, count in lines.most_common(1) if count), None)
    sections = [
        _records(report), _services(report), _fields(report), _caches(report), _queries(found),
        _added(added, engine),
    ]  # fmt: skip
    typer.echo("\n\n".join(s for s in sections if s))


def _records(report: LogReport) -> str:
    files = "1 file" if len(report.files) == 1 else f"{len(report.files)} files"
    rejects = ", ".join(f"{n:,} {reason}" for reason, n in sorted(report.rejects.items()))
    lines = [
        f"{files}, {report.bytes:,} bytes, {report.ledger.records:,} records: "
        f"{report.with_header:,} with a header, {report.headerless:,} without",
        f"quarantined: {rejects or 'nothing'}",
        f"records of requests: {report.request_records:,}, "
        f"{report.request_records_with_id:,} of them with an id",
        "events: " + ", ".join(f"{name} {n:,}" for name, n in report.events.items() if n),
    ]
    if report.unknown_events:
        lines.append("other events: " + _names(report.unknown_events, _EVENTS_SHOWN, "event"))
    if report.unknown_keys:
        lines.append("other keys: " + _names(report.unknown_keys, _KEYS_SHOWN, "key"))
    return "\n".join(lines)


def _services(report: LogReport) -> str:
    """What the files are, which rules took how many lines, and the lines that none took."""
    lines = []
    if report.rules:
        lines += [
            f"{printable(name)}: {read_as}"
            for name, read_as in zip(report.files, report.read_as, strict=False)
        ]
        by_profile: dict[str, list[str]] = {}
        for (profile, rule), count in sorted(report.rules.items(), key=lambda item: -item[1]):
            by_profile.setdefault(profile, []).append(f"{rule} {count:,}")
        lines += [f"profile {name}: {', '.join(rules)}" for name, rules in by_profile.items()]
    ledger = report.ledger
    if report.shapes:
        share = 100 * ledger.unclaimed_bytes / max(1, report.bytes)
        lines.append(
            f"unclaimed: {ledger.unclaimed:,} lines, {share:.1f} % of the bytes; the most frequent:"
        )
        lines += [f"  {count:>9,}  {printable(shape)}" for shape, count in report.shapes.items()]
    return "\n".join(lines)


def _names(counts: Mapping[str, int], most: int, kind: str) -> str:
    """The most frequent names, each with what it may have been meant to be."""
    top = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    parts = [
        f"{printable(name)} {n:,}" + (f" ({meant}?)" if (meant := _meant(name, kind)) else "")
        for name, n in top[:most]
    ]
    return ", ".join(parts) + (f", {len(top) - most:,} more" if len(top) > most else "")


def _meant(name: str, kind: str) -> str | None:
    """The known event or key that a name is nearly, in letters."""
    plain = name.lower().replace("-", "_").replace(".", "_")
    near = get_close_matches(plain, EVENTS if kind == "event" else KEYS, n=1, cutoff=0.8)
    return near[0] if near else None


def _fields(report: LogReport) -> str:
    counts = {c.name: c for c in report.fields}
    rows: list[tuple[object, ...]] = [
        (c.name, BASES[BY_NAME[c.name].base], c.among, c.present, _percent(c),
         "gap" if is_gap(c, counts) else "")
        for c in report.fields
    ]  # fmt: skip
    columns = ("field", "counted among", "records", "have it", "coverage", "")
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else None
    table = render_table(QueryResult(columns, rows), width, None, terminal)
    return table.rpartition("\n\n")[0]  # without the line that counts rows


def _percent(count: FieldCount) -> str:
    if count.share is None:
        return "none asked"
    percent = 100 * count.share
    return "100 %" if count.present == count.among else f"{min(percent, _MOST_PERCENT):.1f} %"


def _caches(report: LogReport) -> str:
    shown = report.sampling[:_PATHS_SHOWN]
    lines = []
    for s in shown:
        pauses = f"every {s.median_s:,} s, at most {s.longest_s:,} s apart" if s.longest_s else ""
        how = {True: "regular", False: "irregular", None: "too few to tell"}[s.regular]
        parts = [f"{s.samples:,} samples", pauses, how]
        lines.append(f"  {printable(s.path) or '(no path)'}: {', '.join(p for p in parts if p)}")
    if len(report.sampling) > len(shown):
        lines.append(f"  {len(report.sampling) - len(shown):,} more")
    return "\n".join(["cache directories:", *lines]) if lines else ""


def _queries(found: Iterable[Answer]) -> str:
    found = list(found)
    by_kind = {kind: [a for a in found if a.answer == kind] for kind in (YES, PART, NO)}
    lines = [
        f"queries: {len(by_kind[YES])} of {len(found)} have an answer, "
        f"{len(by_kind[PART])} a part of it, {len(by_kind[NO])} none"
    ]
    width = max((len(a.query) for a in found), default=0)
    for kind, words in ((NO, "no answer"), (PART, "in part")):
        lines += [f"  {words:<9}  {a.query:<{width}}  {', '.join(a.lacks)}" for a in by_kind[kind]]
    return "\n".join(lines)


def _added(additions: Iterable[Addition], engine: str | None) -> str:
    """The logging lines that a service of one's own lacks; of an upstream service, what it lacks."""  # noqa: E501
    additions = list(additions)
    if engine is not None and additions:
        return (
            f"what {engine} does not print itself can come from a wrapper that logs "
            "it\nbefore and after each request: docs/services.md says what each service prints, "
            "docs/check.md\nwhat to log."
        )
    lines: list[str] = []
    for a in additions:
        lines += ["", *(f"    {line}" for line in a.lines)]
    if not lines:
        return "every golden field is there"
    return "\n".join(["to add to the service's logging, for what is missing:", *lines])


def _object(
    report: LogReport, found: Iterable[Answer], added: Iterable[Addition]
) -> dict[str, object]:
    counts = {c.name: c for c in report.fields}
    return {
        "files": list(report.files),
        "bytes": report.bytes,
        "records": report.ledger.records,
        "with_header": report.with_header,
        "headerless": report.headerless,
        "quarantined": dict(sorted(report.rejects.items())),
        "events": dict(report.events),
        "other_events": _top(report.unknown_events, _EVENTS_SHOWN),
        "other_keys": _top(report.unknown_keys, _KEYS_SHOWN),
        "request_records": report.request_records,
        "request_records_with_id": report.request_records_with_id,
        "read_as": dict(zip(report.files, report.read_as, strict=False)),
        "rules": [
            {"profile": profile, "rule": rule, "lines": count}
            for (profile, rule), count in sorted(report.rules.items())
        ],
        "unclaimed": report.ledger.unclaimed,
        "unclaimed_shapes": [{"shape": s, "lines": n} for s, n in report.shapes.items()],
        "fields": [
            {
                "field": c.name,
                "counted_among": BASES[BY_NAME[c.name].base],
                "records": c.among,
                "present": c.present,
                "coverage": c.share,
                "gap": is_gap(c, counts),
            }
            for c in report.fields
        ],
        "cache_directories": [asdict(s) for s in report.sampling],
        "queries": [asdict(a) for a in found],
        "add": [asdict(a) for a in added],
        "problems": [p.message for p in report.problems],
    }


def _escaped(char: str) -> str:
    """A character of JSON; what could steer a terminal as an escape."""
    return char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1]


def _top(counts: Mapping[str, int], most: int) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most])
