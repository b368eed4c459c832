"""Where the notebooks are, what they are called, and how a person may shorten a name."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path

from kbio_analysis.errors import UsageError

NAME = re.compile(r"\d\d_[a-z0-9_]+")
"""What a notebook is called: ``NN_noun``, the tens being its topic."""


def notebooks_dir() -> Path:
    """The folder of notebooks: KBIO_NOTEBOOKS, else ``notebooks`` in the nearest parent that has one, else beside us.

    Raises UsageError when there is none.
    """
    named = os.environ.get("KBIO_NOTEBOOKS")
    if named:
        folder = Path(named)
        if not folder.is_dir():
            raise UsageError(f"KBIO_NOTEBOOKS is {named!r}, which is not a folder")
        return folder.resolve()
    here = Path.cwd()
    beside_the_package = Path(__file__).resolve().parents[2]
    for parent in (here, *here.parents, beside_the_package):
        if any(NAME.fullmatch(path.stem) for path in (parent / "notebooks").glob("*.ipynb")):
            return (parent / "notebooks").resolve()
    raise UsageError("no folder of notebooks here or above; go to the repository or set KBIO_NOTEBOOKS")


def available(folder: Path) -> dict[str, Path]:
    """Notebook name -> file, in order; only names of the form ``NN_noun`` count."""
    return {path.stem: path for path in sorted(folder.glob("*.ipynb")) if NAME.fullmatch(path.stem)}


def select(folder: Path, wanted: list[str]) -> dict[str, Path]:
    """The notebooks asked for by name or unique beginning; all of them when none is asked for.

    Raises UsageError naming every request that fits none or several.
    """
    known = available(folder)
    if not known:
        raise UsageError(f"no notebook named NN_noun.ipynb in {folder}")
    mistakes, names = [], []
    for request in wanted:
        stem = request.removesuffix(".ipynb").rsplit("/", 1)[-1]
        fitting = [stem] if stem in known else [name for name in known if stem and name.startswith(stem)]
        if len(fitting) == 1:
            names.append(fitting[0])
        elif fitting:
            mistakes.append(f"notebook {request!r} may be {' or '.join(fitting)}: write more of the name")
        else:
            near = get_close_matches(stem, list(known), n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}?" if near else "see `kbio list`"
            mistakes.append(f"no notebook {request!r}; {hint}")
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return {name: known[name] for name in dict.fromkeys(names or known)}
