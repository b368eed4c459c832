"""The errors kbio raises on purpose: each message says what is wrong, where, and what to do about it.

The command line prints them as they are and exits with their ``exit_code``; anything else is a defect and keeps
its traceback.
"""

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from typing import Any


class KbioError(Exception):
    """Something went wrong that the person at the keyboard can understand and mend."""

    exit_code = 1


class UsageError(KbioError):
    """The request itself cannot be carried out as written (wrong name, value or combination)."""

    exit_code = 2


class ParameterError(UsageError):
    """A notebook parameter is unknown, mistyped or out of its bounds."""


class DataError(KbioError):
    """A table is missing, altered, malformed or used outside what it supports; names table, row and column."""

    exit_code = 2


class ModelInputError(KbioError, ValueError):
    """A model was given something it must refuse (too few points, gaps, non-positive values, mixed definitions)."""

    exit_code = 2


class ExecutionError(KbioError):
    """A notebook did not run to its end: a failing cell, a dead kernel or a time-out."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The hint at the end of a message about an unknown name; empty if nothing is near."""
    names = list(known)
    begun = [other for other in names if name and other.casefold().startswith(name.casefold())]
    near = begun or get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def mistakes_in(problem: Any, known: Collection[str] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Place and words of each mistake in a ValidationError of pydantic; ``known`` are the names there may be."""
    for error in problem.errors(include_url=False):
        shown, why = repr(error["input"]), error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            listed = f"; it has {', '.join(known) or 'none'}"
            yield error["loc"], f"no such name{did_you_mean(str(error['loc'][-1]), known) or listed}"
        else:
            yield error["loc"], f"{shown[:80]}{'...' * (len(shown) > 80)}: {why}"
