"""Notebooks composed from what others recorded: in which order they run, and the bundle of records they are given.

A job that is composed carries the default jobs of its ``upstream``, which are brought up to date with it. Jobs run in
stages, each after all that it rests on; before a stage its bundles are made from the default reports of the site (or,
for ``kbio check``, from the reports of the same run and else from the references). A record that failed says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kbio_analysis.data.results import missing_entry, reference_entry
from kbio_analysis.render.publish import FAILURE, folder_of
from kbio_analysis.render.references import recorded_in

RESULT, EXECUTED = "result.json", "executed.ipynb"

if TYPE_CHECKING:
    from pathlib import Path

    from kbio_analysis.render.job import Job, Report

Entry = dict[str, Any]


def in_stages(jobs: Iterable[Job]) -> list[list[Job]]:
    """The jobs, their order kept, in groups of which each rests on earlier ones only."""

    def stage(job: Job) -> int:
        return 1 + max(map(stage, job.upstream)) if job.upstream else 0

    groups: dict[int, list[Job]] = {}
    for job in jobs:
        groups.setdefault(stage(job), []).append(job)
    return [groups[number] for number in sorted(groups)]


def with_upstream(jobs: Iterable[Job], wanted: Callable[[Job], bool] = lambda _: True) -> list[Job]:
    """The jobs, and those of the jobs below them that are wanted, each once."""
    found = {job.label: job for job in jobs}
    for job in list(found.values()):
        for one in with_upstream(filter(wanted, job.upstream), wanted):
            found.setdefault(one.label, one)
    return list(found.values())


def supplied(job: Job, entry: Callable[[Job], Entry]) -> Job:
    """The job with its bundle, made of an entry for each job upstream; one that is not composed as it is."""
    entries = {one.notebook: entry(one) for one in job.upstream}
    return replace(job, upstream=(), recorded=bundle(entries)) if entries else job


def bundle(entries: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Notebook -> entry as the bytes a notebook is given."""
    return json.dumps(entries, ensure_ascii=False, sort_keys=True).encode()


def site_entry(site: Path) -> Callable[[Job], Entry]:
    """What gives the record of a default job's report, which is up to date or has just failed; each is read once."""
    entries: dict[str, Entry] = {}

    def entry(job: Job) -> Entry:
        if job.label in entries:
            return entries[job.label]
        folder = folder_of(site, job.notebook, job.set_name)
        why, state = ("the last run failed", "failed") if (folder / FAILURE).exists() else ("", "fresh")
        try:
            kept = recorded_in(json.loads((folder / RESULT).read_bytes()), (folder / EXECUTED).read_bytes())
            found = kept | {"state": state, "why": why, "source": "report"}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            found = missing_entry(why or "the report is damaged", "report", "failed" if why else "missing")
        return entries.setdefault(job.label, found)

    return entry


def checked(jobs: Iterable[Job], notebooks: Path, make: Callable[[list[Job]], Iterable[Report]]) -> Iterator[Report]:
    """The reports of all jobs in their stages, apart from any site.

    A composed one is given the records of this run's reports, of others those of the committed references. Where such
    a reference is out of date, a report is made in its place, and given too.
    """
    entries: dict[str, Entry] = {}

    def entry(job: Job) -> Entry:
        return entries.get(job.label) or reference_entry(notebooks, job.notebook)

    for group in in_stages(with_upstream(jobs, lambda job: entry(job)["state"] != "fresh")):
        for report in make([supplied(job, entry) for job in group]):
            if report.status == "ok":
                kept = recorded_in(report.result, report.files[EXECUTED])
                entries[report.label] = kept | {"state": "fresh", "why": "", "source": "report"}
            else:
                why = f"failed in this run ({report.result['error']['type']})"
                entries[report.label] = missing_entry(why, "report", "failed")
            yield report
