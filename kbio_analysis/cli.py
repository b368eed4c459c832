"""The command ``kbio``: list, render, check, data. Thin: it reads the request, calls the library, prints, exits.

Exit codes: 0 all well, 1 something failed (what was published before stays), 2 the request or its input is wrong.
What is slow to import is imported by the command that needs it, after the request has been checked.
"""

import atexit
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from kbio_analysis import __version__
from kbio_analysis.data.drafts import new_claim, new_table
from kbio_analysis.errors import KbioError, UsageError

DEFAULT_OUT = Path("reports/site")
DEFAULT_LIMIT_SECONDS = 600.0

HOW = {"no_args_is_help": True, "rich_markup_mode": None}
app = typer.Typer(
    name="kbio",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    **HOW,
)
app.add_typer(data_app := typer.Typer(help="The tables behind the reports.", **HOW), name="data")
app.add_typer(new_app := typer.Typer(help="Begin something new.", **HOW), name="new")
new_app.command("table")(new_table)
new_app.command("claim")(new_claim)

Option, Argument = typer.Option, typer.Argument
Texts = list[str] | None
Names = Annotated[Texts, Argument(metavar="NOTEBOOK", help="Names, beginnings or files.")]
Out = Annotated[Path, Option(help="Folder of the site.")]
Jobs = Annotated[int | None, Option("--jobs", "-j", min=1, help="Reports at a time; default: the cores.")]
Kernel = Annotated[str, Option(help="A Jupyter kernel by its name; auto: none, unless the notebook names one.")]
Limit = Annotated[float, Option("--timeout", min=0.1, help="Seconds a report may take.")]
Form = StrEnum("Form", ["html", "pdf", "docx"])


def main() -> None:
    """Run the command and exit with its code; every error is one short message on standard error."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Until a run has something to put in order, the system ends us: an exception could be lost in an import.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started us
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        # What a terminal's encoding cannot show is replaced; nothing fails for it.
        getattr(sys, name).reconfigure(errors="replace")
    try:
        apart = any(word.startswith(("-h", "--h", "--sch")) for word in sys.argv)  # help, or a cluster's scheduler
        if sys.argv[1:2] in (["render"], ["check"]) and not apart:
            from kbio_analysis.render.forks import begin

            begin()  # at once: it takes longer than to read the request
        app()
    except SystemExit as left:
        if isinstance(left.__context__, BrokenPipeError):  # whoever read our output has gone
            _leave(0)
        _leave(left.code if isinstance(left.code, int) else int(left.code is not None))
    except KbioError as error:
        _complain(str(error))
        _leave(error.exit_code)
    except Exception as problem:
        from kbio_analysis.render.publish import REFUSED

        said = traceback.format_exception_only(problem)[-1].strip()
        if isinstance(problem, OSError) and problem.errno in REFUSED:
            _complain(f"{problem.filename or 'output'}: {problem.strerror}; mend that and run again")
        else:  # a defect: one line for the person, the traceback for whoever mends it
            trace = traceback.format_exc()
            with (
                suppress(OSError),
                tempfile.NamedTemporaryFile("w", prefix="kbio-error-", suffix=".log", delete=False) as log,
            ):
                log.write(trace)
                trace = log.name
            _complain(f"unexpected {said} (traceback in {trace}; please report it)")
        _leave(1)


def _leave(code: int) -> NoReturn:
    """End now: to take the imported libraries apart, object by object, can take a second after the work is done."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read it has gone
            stream.flush()
    os._exit(code)


def _complain(message: str) -> None:
    """Say what is wrong on standard error, if anything is."""
    if message:
        print("kbio:", message.replace("\n", "\n      "), file=sys.stderr)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"kbio {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Render the research notebooks into reports and keep their results in check."""


@app.command("list")
def list_notebooks() -> None:
    """Show the notebooks, their question and their parameters."""
    from kbio_analysis.notebooks import available, notebooks_dir
    from kbio_analysis.render.parameters import read, to_text

    mistakes = []
    for path in available(notebooks_dir()).values():
        try:
            spec = read(path)
        except KbioError as mistake:
            mistakes.append(str(mistake))
            continue
        print(f"{spec.name}  {spec.question}")
        width = max((len(p.name) for p in spec.parameters), default=0)
        for p in spec.parameters:
            unit = f", {p.unit}" if p.unit else ""
            print(f"    {p.name:<{width}}  {p.type_text} = {to_text(p.default)}{p.marks}  {p.meaning}{unit}")
        print()
    if mistakes:
        raise UsageError("\n".join(mistakes))


@app.command()
def render(
    notebooks: Names = None,
    parameter: Annotated[Texts, Option("--parameter", "-p", metavar="NAME=VALUE", help="Repeatable.")] = None,
    set_name: Annotated[str | None, Option("--set", metavar="NAME", help="Name of this set of parameters.")] = None,
    out: Out = DEFAULT_OUT,
    batch: Annotated[list[Path] | None, Option(metavar="FILE", help="Sets from a file; repeatable.")] = None,
    force: Annotated[bool, Option("--force", help="Also what has not changed.")] = False,
    failed: Annotated[bool, Option("--failed", help="Only those whose last run failed.")] = False,
    jobs: Jobs = None,
    scheduler: Annotated[str | None, Option(metavar="ADDRESS", help="A Dask cluster's, to do the work.")] = None,
    unencrypted: Annotated[bool, Option("--unencrypted", help="A tcp:// one elsewhere, in your own network.")] = False,
    kernel: Kernel = "auto",
    limit: Limit = DEFAULT_LIMIT_SECONDS,
    to: Annotated[list[Form] | None, Option(help="Also beside the page; repeatable.")] = None,
    table: Annotated[Texts, Option(metavar="NAME=FILE", help="Own figures for this run; repeatable.")] = None,
) -> None:
    """Render notebooks into the site, as far as something they depend on has changed.

    A wrong parameter, name or batch is refused before anything starts. The site is whole at every moment; a run that
    was cut off goes on where it stopped.
    """
    from kbio_analysis.render.requests import requested

    forms, pairs = [form for form in dict.fromkeys(to or []) if form != Form.html], parameter or []
    given = {name.strip(): value for name, equals, value in (one.partition("=") for one in pairs) if equals}
    if len(given) < len(pairs):
        raise UsageError(f"-p {' -p '.join(pairs)}: write each as -p NAME=VALUE, and each once")
    if table:
        if scheduler:
            raise UsageError("--table is for this machine; leave --scheduler out")
        _with_own(table)
        set_name = set_name or (None if batch else "own")
    how = {"failed_in": out if failed else None, "kernel": kernel, "limit_seconds": limit}
    work, rankings = requested(notebooks or [], given, set_name=set_name, batches=batch or [], **how)
    if not work:
        print(f"nothing to do: no such report failed in {out}")
        return
    if composed := [job.notebook for job in work if table and job.upstream]:
        raise UsageError(f"--table: {', '.join(composed)} is made of other reports' records; name those it is made of")

    from kbio_analysis.render.build import build, say
    from kbio_analysis.render.forms import add_forms

    make = _maker(work, jobs, scheduler, unencrypted)
    code = build(work, out, make, force=force or failed, rankings=rankings)
    if forms and code != 130:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        made, problems = add_forms(out, [out / job.notebook / job.set_name for job in work], forms)
        say(", ".join(f"{count} made as {form}" for form, count in made.items()))
        _complain("\n".join([*problems, "the pages are in place"] * bool(problems)))
        code = code or int(bool(problems))
    raise typer.Exit(code)


def _with_own(tables: list[str]) -> None:
    """Let this process, and whatever it starts, read these figures."""
    import shutil
    from datetime import date

    from kbio_analysis.data.own import package_with

    folder = package_with(tables, date.today())
    atexit.register(shutil.rmtree, folder.parent, ignore_errors=True)
    os.environ["KBIO_DATA"] = str(folder)


def _maker(work: list[Any], jobs: int | None, scheduler: str | None, unencrypted: bool) -> Callable[..., Any]:
    """What makes reports: processes here, or a Dask cluster. Raises UsageError for an address not to be trusted."""
    if scheduler is None:
        from kbio_analysis.render.job import reports

        return partial(reports, workers=jobs, run=work)
    from kbio_analysis.render import cluster

    cluster.check_address(scheduler, unencrypted=unencrypted)
    return partial(cluster.reports, scheduler=scheduler)


@app.command()
def check(
    notebooks: Names = None,
    accept: Annotated[bool, Option("--accept", help="Show what moved, then record it as the new reference.")] = False,
    jobs: Jobs = None,
    kernel: Kernel = "auto",
    limit: Limit = DEFAULT_LIMIT_SECONDS,
) -> None:
    """Execute with the default parameters and compare with the recorded results and chart data."""
    from kbio_analysis.notebooks import available, notebooks_dir
    from kbio_analysis.render.requests import requested

    work, _ = requested(notebooks or [], {}, kernel=kernel, limit_seconds=limit)
    folder = notebooks_dir()
    asked, known = {job.notebook for job in work}, available(folder)
    if strange := sorted(asked - known.keys()):
        raise UsageError(f"{', '.join(strange)}: a check is for the notebooks in {folder}; this has no reference there")

    from kbio_analysis.render.build import checked, line, say
    from kbio_analysis.render.job import reports
    from kbio_analysis.render.references import orphans, verdict

    if lost := [] if notebooks else orphans(folder, known):
        say("\n".join(lost))
    well = not lost
    for report in checked(work, folder, partial(reports, workers=jobs, run=work)):
        if report.status != "ok":
            good, lines = False, [line(report)]
        elif report.notebook in asked:
            good, lines = verdict(report, folder, accept=accept)
        else:
            good, lines = True, [line(report, "  made for what is composed from it: its reference is out of date")]
        say("\n".join(lines))
        well = well and good
    raise typer.Exit(int(not well))


@app.command()
def compare(
    sets: Annotated[list[str], Argument(metavar="SET", help="NOTEBOOK/SET, or SET where that is enough.")],
    out: Out = DEFAULT_OUT,
) -> None:
    """Set rendered scenarios side by side: what differs between them, and each one's difference to the first."""
    from kbio_analysis.render.compare import Comparison, resolve
    from kbio_analysis.render.results import read_reports

    comparison = Comparison(resolve(read_reports(out), sets))

    from kbio_analysis.render.build import say
    from kbio_analysis.render.publish import explained, open_site
    from kbio_analysis.render.site import write_comparison

    say(comparison.text)
    with open_site(out), explained(out):
        page = write_comparison(out, comparison)
    say(f"\nas a page: {page}")


@data_app.command("verify")
def verify_data() -> None:
    """Check every table against its passport and its schema, and every correction against its source."""
    from kbio_analysis.data.tables import verify

    problems = [str(problem) for problem in verify()]
    if problems:
        _complain("\n".join([f"{len(problems)} problem(s) in the tables:", *problems]))
        raise typer.Exit(1)
    print("every table agrees with its passport and its schema")


@data_app.command("refresh")
def refresh_data(
    table: Annotated[str, Argument(metavar="TABLE", help="One that a publisher's service can bring up to date.")],
    accept: Annotated[bool, Option("--accept", help="Put the candidate fetched before in the table's place.")] = False,
) -> None:
    """Fetch a table as a candidate and show what would change, cell by cell; with --accept, put it in place."""
    from datetime import date

    from kbio_analysis.data.refresh import accept_candidate, fetch_candidate, readers
    from kbio_analysis.notebooks import notebooks_dir

    changes = accept_candidate(table, date.today()) if accept else fetch_candidate(table, date.today())
    print("\n".join([f"{table}:", *changes] if changes else [f"{table}: as published"]))
    if changes and not accept:
        print(f"nothing is changed yet; look at it, then: kbio data refresh {table} --accept")
    elif changes and (read_by := readers(notebooks_dir() / "references", table)):
        check(notebooks=read_by)


@new_app.command("notebook")
def new_notebook(
    name: Annotated[str, Argument(metavar="NAME", help="NN_noun, the tens being its topic.")],
    question: Annotated[str, Argument(metavar="QUESTION", help="What it asks, in one sentence.")],
) -> None:
    """Write a notebook's skeleton, which runs and passes the style tests, and say what remains to be done."""
    from kbio_analysis.notebooks import notebooks_dir
    from kbio_analysis.render.skeleton import create

    print(create(notebooks_dir(), name, question))
