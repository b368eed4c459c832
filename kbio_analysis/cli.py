"""The command ``kbio``: list, render, check, data. Thin: it reads the request, calls the library, prints, exits.

Exit codes: 0 all well, 1 something failed (what was published before stays), 2 the request or its input is wrong.
What is slow to import is imported by the command that needs it, after the request has been checked.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from kbio_analysis import __version__
from kbio_analysis.errors import KbioError, UsageError

if TYPE_CHECKING:
    from kbio_analysis.render.parameters import NotebookSpec, Parameter

DEFAULT_OUT = Path("reports/site")
DEFAULT_LIMIT_SECONDS = 600.0

app = typer.Typer(
    name="kbio",
    help="Render the research notebooks into reports and keep their results in check.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="The tables behind the reports.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")

Names = Annotated[list[str] | None, typer.Argument(metavar="NOTEBOOK", help="Names or their beginnings.")]
Given = Annotated[list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Repeatable.")]
SetName = Annotated[str | None, typer.Option("--set", metavar="NAME", help="Name of this set of parameters.")]
Out = Annotated[Path, typer.Option(help="Folder of the site.")]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Reports at a time; default: the cores.")]
Kernel = Annotated[str, typer.Option(help="Kernel that runs the cells; default: this Python.")]
Limit = Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds a report may take.")]
Accept = Annotated[bool, typer.Option("--accept", help="Show what moved, then record it as the new reference.")]


def main() -> None:
    """Run the command and exit with its code; every error is one short message on standard error."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        app()
    except KbioError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except Exception:
        # A defect: one line for the person, the traceback for whoever mends it.
        handle, log = tempfile.mkstemp(prefix="kbio-error-", suffix=".log", text=True)
        with os.fdopen(handle, "w") as file:
            file.write(traceback.format_exc())
        problem = traceback.format_exception_only(sys.exception())[-1].strip()
        _complain(f"unexpected {problem} (traceback in {log}; please report it)")
        sys.exit(1)


def _as_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _complain(message: str) -> None:
    lines = message.splitlines() or [""]
    print("\n".join([f"kbio: {lines[0]}", *(f"      {line}" for line in lines[1:])]), file=sys.stderr)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"kbio {__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")]


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Render the research notebooks into reports and keep their results in check."""


@app.command("list")
def list_notebooks() -> None:
    """Show the notebooks, their question and their parameters."""
    from kbio_analysis.render.notebooks import available, notebooks_dir
    from kbio_analysis.render.parameters import read

    mistakes = []
    for path in available(notebooks_dir()).values():
        try:
            _print_notebook(read(path))
        except KbioError as mistake:
            mistakes.append(str(mistake))
    if mistakes:
        raise UsageError("\n".join(mistakes))


def _print_notebook(spec: NotebookSpec) -> None:
    print(f"{spec.name}  {spec.question}")
    width = max((len(p.name) for p in spec.parameters), default=0)
    for parameter in spec.parameters:
        print(f"    {parameter.name:<{width}}  {_described(parameter)}")
    print()


def _described(parameter: Parameter) -> str:
    from kbio_analysis.render.values import to_text

    limits = ""
    if parameter.low is not None or parameter.high is not None:
        ends = ("" if end is None else to_text(end) for end in (parameter.low, parameter.high))
        limits = f" [{'..'.join(ends)}]"
    unit = f", {parameter.unit}" if parameter.unit else ""
    return f"{parameter.type_text} = {to_text(parameter.default)}{limits}  {parameter.meaning}{unit}"


@app.command()
def render(
    notebooks: Names = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Repeatable.")
    ] = None,
    set_name: Annotated[str | None, typer.Option("--set", metavar="NAME", help="Name of this parameter set.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the site.")] = DEFAULT_OUT,
    jobs: Jobs = None,
    kernel: Kernel = "python3",
    limit: Limit = DEFAULT_LIMIT_SECONDS,
) -> None:
    """Render notebooks into the site; refuses a wrong parameter before anything starts."""
    from kbio_analysis.render.plan import given_parameters, planned

    work = planned(notebooks or [], given_parameters(parameter or []), set_name, kernel=kernel, limit_seconds=limit)

    from kbio_analysis.render.progress import display, say
    from kbio_analysis.render.publish import FAILURE, open_site, publish
    from kbio_analysis.render.runner import reports, usable_cores
    from kbio_analysis.render.site import write_index

    def note_wait() -> None:
        _complain(f"another run is writing to {out}; waiting for it")

    failed = []
    with (
        open_site(out, on_wait=note_wait),
        display(len(work)) as shown,
        closing(reports(work, workers=jobs or usable_cores())) as made,
    ):
        for report in made:
            folder = publish(report, out)
            shown.done(report)
            if report.status != "ok":
                failed.append(folder / FAILURE)
        write_index(out)
    say(f"{len(work) - len(failed)} of {len(work)} reports are good: {out / 'index.html'}")
    if failed:
        logs = "\n".join(str(path.with_name("log.txt")) for path in failed)
        _complain(f"{len(failed)} failed; what was published before stays. Logs:\n{logs}")
        raise typer.Exit(1)


@app.command()
def check(
    notebooks: Names = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Show what moved, then record it as the new reference.")
    ] = False,
    jobs: Jobs = None,
    kernel: Kernel = "python3",
    limit: Limit = DEFAULT_LIMIT_SECONDS,
) -> None:
    """Execute with the default parameters and compare with the recorded results and chart data."""
    from kbio_analysis.render.notebooks import notebooks_dir
    from kbio_analysis.render.plan import planned

    work = planned(notebooks or [], {}, None, kernel=kernel, limit_seconds=limit)

    from kbio_analysis.render.progress import line, say
    from kbio_analysis.render.references import verdict
    from kbio_analysis.render.runner import reports, usable_cores

    well = True
    for report in reports(work, workers=jobs or usable_cores()):
        if report.status != "ok":
            say(line(report))
            well = False
            continue
        good, lines = verdict(report, notebooks_dir(), accept=accept)
        say("\n".join(lines))
        well = well and good
    if not well:
        raise typer.Exit(1)


@data_app.command("verify")
def verify_data() -> None:
    """Check every table against its passport and its schema, and every correction against its source."""
    from kbio_analysis.data import verify

    problems = [str(problem) for problem in verify()]
    if problems:
        _complain("\n".join([f"{len(problems)} problem(s) in the tables:", *problems]))
        raise typer.Exit(1)
    print("every table agrees with its passport and its schema")
