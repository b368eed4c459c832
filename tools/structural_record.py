"""What structural gravity found on the world panel, kept as a table: ``python -m tools.structural_record`` writes it.

The fits take some seconds, the bias by halves of the economies and the pretended agreements minutes, and none
depends on a report's parameters: they are made here once, not in every report of a batch. Run it, and ``make
data-package``, when the panel or the dates of agreements change; a test compares.
"""

import csv
from pathlib import Path

import pandas as pd

from kbio_analysis.data.tables import load
from kbio_analysis.data.trade import agreements, structural_agreements
from kbio_analysis.models import structural_gravity

TABLE = Path(__file__).resolve().parent.parent / "data" / "tables" / "structural_record.csv"
SOURCE, NEGLIGIBLE, SPLITS = "IMF_DOTS_REPORTERS_2022", 5e-4, 5


def record() -> pd.DataFrame:
    """Effects by agreement, the prediction of a next one as a mixture, and the profile by years since entry."""
    world, known = load("world_trade_panel"), agreements()
    first = known[(known["rank"] == 1) & known["entry_year"].notna()].astype({"entry_year": int})
    found = structural_gravity.effects(world, first[["iso3", "agreement", "entry_year"]], home="KOR")
    rows = [
        ("effect", direction, agreement, row.effect_log_points, row.se_log_points, row.n_years)
        for (agreement, direction), row in found.table.iterrows()
    ]
    for direction, p in structural_gravity.next_agreement(found).items():
        parts = zip(p.tau, p.centre, p.scale, p.weight, strict=True)
        rows += [("prediction", direction, f"{t:.4f}", c, s, w) for t, c, s, w in parts if w > NEGLIGIBLE]
    spans = structural_gravity.profile(world, first[["iso3", "agreement", "entry_year"]], home="KOR")
    rows += [
        ("profile", r.direction, f"{r.from_year}-{r.to_year}", r.effect_log_points, r.se_log_points, r.n_partners)
        for r in spans.itertuples()
    ]
    return pd.DataFrame(rows, columns=["kind", "direction", "name", "value", "error", "weight"])


def main() -> None:
    from bench.structural_bias import bias, placebos

    known = load("world_trade_panel"), structural_agreements()
    found, halves, pretended = record(), bias(*known, SPLITS), placebos(*known)
    rows = [("bias", way, name, row.bias, row.half_width, SPLITS) for (name, way), row in halves.iterrows()]
    rows += [(*row.Index, row.value, row.error, row.n_years) for row in pretended.itertuples()]
    found = pd.concat([pd.DataFrame(sorted(rows), columns=found.columns), found]).sort_values("kind", kind="stable")
    for column, digits in (("value", 5), ("error", 5), ("weight", 6)):
        found[column] = found[column].astype(float).round(digits)
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*found.columns, "source_id"])
        writer.writerows([*row, SOURCE] for row in found.itertuples(index=False))


if __name__ == "__main__":
    main()
