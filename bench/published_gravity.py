"""Gravity tables printed by others, through ``models.gravity``: Santos Silva & Tenreyro 2006, Yotov and others 2016.

The authors' data stay theirs and are not kept here. Name the folder that holds them: ``log_of_gravity`` (the Log of
Gravity page of the authors) and ``agtpa_applications`` (UNCTAD & WTO, An Advanced Guide to Trade Policy Analysis,
chapter 1), as .csv, .csv.gz or .dta.

    KBIO_PUBLISHED_DATA=~/gravity python -m bench gravity
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from kbio_analysis.models.gravity import GravityFit, ppml

FOLDER = "KBIO_PUBLISHED_DATA"
COEFFICIENT, ERROR = 0.0011, 0.0021  # printed to three decimals; errors differ by their small-sample factor

TRADITIONAL = {
    "lypex": (0.733, 0.027),
    "lypim": (0.741, 0.027),
    "lyex": (0.157, 0.053),
    "lyim": (0.135, 0.045),
    "ldist": (-0.784, 0.055),
    "border": (0.193, 0.104),
    "comlang": (0.746, 0.135),
    "colony": (0.025, 0.150),
    "landl_ex": (-0.863, 0.157),
    "landl_im": (-0.696, 0.141),
    "lremot_ex": (0.660, 0.134),
    "lremot_im": (0.561, 0.118),
    "comfrt_wto": (0.181, 0.088),
    "open_wto": (-0.107, 0.131),
}
"""The Log of Gravity, table 3, PPML on all 18,360 pairs of 1990: regressor -> coefficient, robust standard error."""

WITH_EFFECTS = {
    "ldist": (-0.750, 0.041),
    "border": (0.370, 0.091),
    "comlang": (0.383, 0.093),
    "colony": (0.079, 0.134),
    "comfrt_wto": (0.376, 0.077),
}
"""The same, table 5: with exporter and importer effects."""

BY_YEAR = {"ldist": (-0.841, 0.032), "cntg": (0.437, 0.083), "lang": (0.247, 0.077), "clny": (-0.222, 0.116)}
"""The Advanced Guide, chapter 1, table 1, PPML with exporter-time and importer-time effects, 1986 to 2006 by four."""


def read(folder: Path, name: str) -> pd.DataFrame:
    """The file of that name, of whatever kind. Raises FileNotFoundError, with what was looked for."""
    for path in sorted(folder.glob(f"{name}.*")):
        return pd.read_stata(path) if path.suffix == ".dta" else pd.read_csv(path)
    raise FileNotFoundError(f"no {name}.csv, .csv.gz or .dta in {folder}")


def compared(fit: GravityFit, printed: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """Ours beside theirs, a row a regressor: ours, printed, se, printed_se, and whether both agree."""
    rows = pd.DataFrame(printed, index=["printed", "printed_se"]).T
    rows = rows.assign(ours=fit.coefficients, se=fit.standard_errors)
    near = (rows.ours - rows.printed).abs() < COEFFICIENT, (rows.se - rows.printed_se).abs() < ERROR
    return rows.assign(agrees=near[0] & near[1])


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    """Every table, by what it is, as :func:`compared`."""
    cross, panel = read(folder, "log_of_gravity"), read(folder, "agtpa_applications")
    abroad = panel[(panel.exporter != panel.importer) & panel.year.isin(range(1986, 2007, 4))]
    abroad = abroad.assign(ldist=np.log(abroad.dist))
    by_year = ["exporter^year", "importer^year"]
    return {
        "Log of Gravity, table 3": compared(ppml(cross, "trade", list(TRADITIONAL)), TRADITIONAL),
        "Log of Gravity, table 5": compared(ppml(cross, "trade", list(WITH_EFFECTS), ["s2_ex", "s1_im"]), WITH_EFFECTS),
        "Advanced Guide, table 1": compared(ppml(abroad, "trade", list(BY_YEAR), by_year, "pair_id"), BY_YEAR),
    }


def main(rounds: int = 1) -> int:
    """Print ours beside the printed; 1 if one differs. Without the data it says where to get them, and that is all."""
    if not os.environ.get(FOLDER):
        print(f"not run: put the authors' data into a folder and name it in {FOLDER} (see bench/published_gravity.py)")
        return 0
    found = tables(Path(os.environ[FOLDER]).expanduser())
    for name, rows in found.items():
        print(f"{name}\n{rows.round(3).to_string()}")
    return int(not all(rows.agrees.all() for rows in found.values()))
