"""Rows → the picture that the query's header says suits them: in the terminal, or as svg, png or
html.

plotext draws in the terminal, matplotlib in files; both come with ``pip install 'ttsq[charts]'``.
"""

import sys
from pathlib import Path

from ingest.errors import UsageProblem
from ingest.named_queries.library import NamedQuery
from ingest.render.cells import Result
from ingest.render.chart_data import chart_data
from ingest.render.chart_files import file_chart
from ingest.render.chart_terminal import terminal_chart
from ingest.render.formats import PICTURES, Look
from ingest.render.whole_file import replace_file


def write_chart(query: NamedQuery, result: Result, path: Path | None, look: Look) -> None:
    """Draw the rows in the terminal, or into a file of one of :data:`PICTURES`.

    :raises UsageProblem: for a query that no chart suits, a suffix that is no picture, or a library
        that is missing.
    """
    if path is not None and path.suffix.lower() not in PICTURES:
        raise UsageProblem(
            f"a chart cannot be written as {path.name}", f"name it with {', '.join(PICTURES)}"
        )
    if query.chart.kind == "none":
        raise UsageProblem(
            f"no chart suits the rows of {query.name}", "leave --chart out to get a table"
        )
    if not result.rows and path is None:
        sys.stdout.write(look.explain_empty + "\n")
        return
    drawn = chart_data(query, result, look.tz)
    if path is None and drawn.is_empty:
        values = query.chart.axes.get("value", query.chart.axes.get("y", ""))
        sys.stdout.write(f"nothing to draw: no row has a number as {values}\n")
    elif path is None:
        sys.stdout.write(terminal_chart(drawn, look))
    else:
        replace_file(path, [file_chart(drawn, path.suffix.lower())])
