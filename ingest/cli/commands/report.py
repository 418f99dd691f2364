"""``ttsq report``: the incident as one page to hand on."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ingest import __version__
from ingest.cli.commands.triage import look_of, window_of
from ingest.cli.options.context import open_reader, open_store, options, reported
from ingest.named_queries.library import load_library
from ingest.render.whole_file import replace_file
from ingest.stores.contract import Reader
from ingest.stores.open import backend_of
from ingest.tasks.report.page import Cover, Headline, page
from ingest.tasks.report.questions import ask_all
from ingest.tasks.triage.page import PageLook, facts, healthy
from ingest.tasks.triage.phrases import Clock
from ingest.tasks.triage.report import TriageReport, moment
from ingest.tasks.triage.report import triage as triaged

_MOST_FINDINGS = 10


def report(
    ctx: typer.Context,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The page, an HTML file, whole or not at all.")
    ] = Path("incident.html"),
    since: Annotated[
        str | None,
        typer.Option(help="From an instant, a date or an age on [default: 24 h of data]."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="Up to an instant, a date or an age.")] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="data: ages count back from the newest record.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="en or zh [default: by the locale].")] = None,
    tz: Annotated[
        str | None, typer.Option("--tz", help="Zone of the instants shown (IANA).")
    ] = None,
) -> None:
    """Write the incident as one page to hand on.

    The page is one file without scripts: findings first, then charts, each with its rows and its
    SQL.

    For example: ttsq report -o incident.html --since 6h
    """
    given = options(ctx)
    with reported(given.debug):
        look = look_of(ctx, language, tz)
        library = load_library(given.settings.query_folder, backend_of(given.url))
        with open_reader(ctx) as reader:
            window = window_of(reader, since, until, as_of, False, look)
            found = triaged(reader, window, _MOST_FINDINGS)
            sections = ask_all(
                reader, {q.name: q for q in library}, window.since, window.until, look.tz
            )
            hosts = _hosts(reader)
        cover = Cover(
            since=window.since,
            until=window.until,
            requests=round(found.diagnosis.requests),
            store=open_store(ctx).description,
            hosts=hosts,
            written_at=datetime.now(UTC),
            version=__version__,
            language=look.language,
            tz=look.tz,
            healthy=healthy(found, look, Clock(look.tz, window.until)) if found.is_healthy else "",
        )
        text = page(cover, _headlines(found, look), sections)
        replace_file(output, [text.encode()])
    typer.echo(f"wrote {output}")


def _hosts(reader: Reader) -> tuple[str, ...]:
    return tuple(
        str(r[0])
        for r in reader.query("select distinct host from log_files order by host", None).rows
    )


def _headlines(found: TriageReport, look: PageLook) -> list[Headline]:
    clock = Clock(look.tz, found.window.until)
    return [
        Headline(
            t.finding.severity,
            look.title(t.finding, clock),
            tuple((look.word(name), text) for name, text in facts(t, look, clock)),
            None if t.finding.since is None else moment(t.finding.since),
        )
        for t in found.told
    ]
