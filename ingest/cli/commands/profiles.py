"""``ttsq profiles``: what services print and how it becomes rows; list, show, check, try."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ingest.cli.options.context import options, print_error, printable, reported
from ingest.cli.options.logs import DateFormat, LogFormat, Zone, chosen_format
from ingest.cli.settings.load import zone
from ingest.errors import ExitCode, ProfileError, UsageProblem
from ingest.pipeline.profiles import files_of, read_file
from ingest.pipeline.profiles import profiles as all_profiles
from ingest.records.profiles import Profile, Profiles
from ingest.tasks.profiles import Tried, problems, try_file

profiles = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    help="List what ttsq knows of services' logs; show, check and try profiles.",
)
_AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
_WIDTH = 120  # columns of a message that are shown


def _known(ctx: typer.Context) -> Profiles:
    return all_profiles(options(ctx).settings.profile_folder)


@profiles.callback()
def list_profiles(ctx: typer.Context, as_json: _AsJson = False) -> None:
    """List the profiles, each with the services that it reads."""
    if ctx.invoked_subcommand is not None:
        return
    with reported(options(ctx).debug):
        known = _known(ctx).profiles
        if as_json:
            typer.echo(json.dumps([_object(p) for p in known], ensure_ascii=False, indent=2))
            return
        width = max(len(profile.name) for profile in known)
        for profile in known:
            typer.echo(f"{profile.name:<{width}}  {printable(profile.summary)}")
        typer.echo("\nttsq profiles try FILE shows which rule takes which line of a log")


def _object(profile: Profile) -> dict[str, object]:
    return {
        "name": profile.name,
        "summary": profile.summary,
        "origin": profile.origin,
        "services": list(profile.services),
        "rules": [
            {"name": r.name, "does": r.does, "pattern": r.pattern, "source": r.source}
            for r in profile.rules
        ],
    }


@profiles.command()
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A profile's name.")],
    as_json: _AsJson = False,
) -> None:
    """Show a profile's rules.

    What each does, its pattern, and where its line comes from.
    """
    with reported(options(ctx).debug):
        known = _known(ctx)
        profile = known.by_name.get(name)
        if profile is None:
            names = ", ".join(sorted(known.by_name))
            raise UsageProblem(f"there is no profile {name}", f"known: {names}")
        if as_json:
            typer.echo(json.dumps(_object(profile), ensure_ascii=False, indent=2))
            return
        typer.echo(printable(_text(profile)))


def _text(profile: Profile) -> str:
    rows = [f"{profile.name}: {profile.summary}", profile.origin, ""]
    for rule in profile.rules:
        rows += [f"{rule.does}: {rule.name}", f"  {rule.pattern}", f"  {rule.source}"]
    rows += [f"code {code.code}: {code.pattern}" for code in profile.codes]
    return "\n".join(rows)


@profiles.command()
def check(
    ctx: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(help="A folder of profiles [default: profile_folder of the settings]."),
    ] = None,
) -> None:
    """Check a folder of profiles.

    Reads each file and compares the rows that its samples give with those expected. Exits with 2
    when one is wrong, naming file and line.
    """
    with reported(options(ctx).debug):
        own = folder or options(ctx).settings.profile_folder
        if own is None:
            raise UsageProblem(
                "no folder of profiles is named",
                "ttsq profiles check FOLDER, or profile_folder in the settings",
            )
        wrong = [problem for path in files_of(own) if (problem := _unreadable(path)) is not None]
        for problem in wrong:
            print_error(problem)
        found = [] if wrong else list(problems(own, all_profiles()))
        for sentence in found:
            typer.echo(printable(sentence), err=True)
        if wrong or found:
            raise typer.Exit(int(ExitCode.USAGE))
        typer.echo("every profile is well, and its samples give the rows expected")


def _unreadable(path: Path) -> ProfileError | None:
    try:
        read_file(path, str(path))
    except ProfileError as problem:
        return problem
    return None


@profiles.command("try")
def try_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A log file; plain, gzip or zstd.")],
    log_format: LogFormat = None,
    datefmt: DateFormat = None,
    tz: Zone = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """Show which rule takes which line of a log.

    No store is opened. Each line: its offset in bytes, the rule (or access, failure, unclaimed),
    the request's id, the message. Records of ttsq's own format need no rule and are not shown.
    """
    with reported(options(ctx).debug):
        settings = options(ctx).settings
        fmt = chosen_format(settings, log_format, datefmt)
        for tried in try_file(file, fmt, zone(tz or settings.tz), _known(ctx)):
            typer.echo(_json(tried) if as_json else _row(tried))


def _row(tried: Tried) -> str:
    rule = f"{tried.profile}: {tried.rule}" if tried.profile else tried.rule or tried.kind
    if tried.kind == "held":
        rule += " (before any opening line)"
    message = printable(tried.message[:_WIDTH]).replace("\n", "\\n")
    return f"{tried.offset:>10}  {rule:<32}  {tried.id or '-':<18}  {message}"


def _json(tried: Tried) -> str:
    return json.dumps(
        {
            "offset": tried.offset,
            "kind": tried.kind,
            "profile": tried.profile or None,
            "rule": tried.rule or None,
            "id": tried.id,
            "message": tried.message,
        },
        ensure_ascii=True,
    )
