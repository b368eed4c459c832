"""A made-up report that shows everything a page can hold, built by code; and a site of many such reports."""

import json
from pathlib import Path
from types import SimpleNamespace

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

MIME = "application/vnd.kbio.v1+json"

HOSTILE = """<script>alert(1)</script><img src=x onerror="alert(2)">]]>'"&amp;\x1b[31mred\x1b[0m"""

YEARS = list(range(2018, 2031))
LEVELS = [3.1, 3.9, 5.6, 6.9, 6.0, 5.1, 5.8, 6.5, 7.3, 8.2, 9.1, 10.2, 11.4]

QUESTION = "Will exports double to $11.6bn by 2030, and how do they run against 11.9% segment growth?"
ANSWER = (
    "Doubling by 2030 asks for **12.25%** a year, a little more than the 11.9% of the segment; the models put the "
    "chance at **41%**, and the median year of doubling at 2031."
)


def display(payload: dict, **fallback: str):
    """A kbio output beside its fallback for other readers."""
    return new_output("display_data", data={MIME: payload, "text/plain": "fallback", **fallback})


# A drawing with theme colours as variables, as the charts write it.
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 300"><style/><g style="fill: none; stroke-width: 2">'
    '<path d="M 40 260 L 200 160 L 440 40" style="stroke: var(--chart-1, #0b5394)"/></g>'
    '<text x="40" y="290" style="font: 12px sans-serif; fill: var(--chart-ink, #000)">2018</text></svg>'
)


def chart(**changes) -> dict:
    """The payload of a chart; keyword arguments replace fields."""
    rows = "".join(f"{y},{v}\n" for y, v in zip(YEARS, LEVELS, strict=True))
    payload = {
        "kind": "chart",
        "id": "fan",
        "svg": DRAWING,
        "alt": "Exports rise from 3.1 to 6.5 billion dollars in 2025; the middle forecast reaches 11.4 in 2030.",
        "caption": "Exports and their forecast to 2030, with the 80% interval and the target of $11.6bn.",
        "source": "Customs service, https://example.org/exports; own calculation",
        "csv": "year,exports_usd_bn\n" + rows,
        "csv_name": "fan.csv",
    }
    return payload | changes


def table(**changes) -> dict:
    """The payload of a table that is too wide for a telephone; keyword arguments replace fields."""
    labels = ("Model", "Scaled error", "Against naive, %", "Coverage of 80%, %", "Points", "Median 2030, US$ million")
    rows = [
        ["Random walk with drift", "1.02", "\u22122.1", "78", "36", "10,912"],
        ["Theta", "0.91", "+8.7", "80", "36", "11,398"],
        ["Combination", "0.88", "+11.6", "82", "36", "11,387"],
    ]
    payload = {
        "kind": "table",
        "id": "scores",
        "caption": "Every model beside the naive one: errors of forecasts made with what was known at the time.",
        "columns": [{"label": label, "align": "right" if i else "left"} for i, label in enumerate(labels)],
        "rows": rows,
        "row_header": True,
        "source": "Own calculation",
        "csv": "model,error\nTheta,0.91\n",
        "csv_name": "scores.csv",
    }
    return payload | changes


RECORDS = {
    "required_growth_pct": (12.246204830937302, "% a year", "Growth that doubling by 2030 requires"),
    "segment_path_2030_usd_m": (11386.98, "US$ million", "Exports in 2030 at the segment's 11.9% a year"),
    "probability_of_doubling": (0.41, "probability", "Chance of at least doubling by the target year"),
    "median_doubling_year": (2031, "year", "Median year of doubling"),
    "definition_is_comparable": (False, "", "Whether the base value follows the definition that is forecast"),
}


def notebook(*extra_cells):
    """An executed notebook with every kind of output; ``extra_cells`` come before the regression cell."""
    scores = "| Kind | Share |\n|---|---:|\n| Vaccines | 12% |\n| Biosimilars | 61% |"
    records = [
        display({"kind": "record", "name": n, "value": v, "unit": u, "meaning": m, "rtol": 1e-9})
        for n, (v, u, m) in RECORDS.items()
    ]
    cells = [
        new_markdown_cell(
            f"# {QUESTION}\n\nA made-up paper, for looking at the page. The unit is US$ million throughout."
        ),
        new_code_cell(
            'series: str = "biopharma"  # which definition\ntarget_year: int = 2030  # year of the target [2026..2040]',
            metadata={"tags": ["parameters"]},
        ),
        new_code_cell("answer(doubling)", outputs=[display({"kind": "answer", "text": ANSWER})]),
        new_markdown_cell(
            "## Data\n\nFour definitions stand side by side; `5.8` is **none** of them, see [the agency](https://example.org/a?b=1&c=2)."
        ),
        new_code_cell(
            "definitions(frame)", outputs=[display(chart(id="defs", caption="The definitions side by side."))]
        ),
        new_markdown_cell(
            "## Design\n\nRequired growth follows from the base $x_0$, the multiple $m$ and the years $T - t_0$:\n\n"
            "$$g = m^{1/(T - t_0)} - 1, \\qquad \\sum_{t=1}^{T} \\frac{w_t\\,(y_t - \\hat{y}_t)^2}{\\sigma^2_{t|t-1}} "
            "\\le \\chi^2_{0.8}$$\n\n### Reference classes\n\n- short series borrow from long ones\n"
            "- no trend below eight points\n\n> A forecast is a statement about odds.\n\n" + scores
        ),
        new_code_cell(
            "say(odds)",
            outputs=[display({"kind": "sentence", "text": "From $5.8bn to $11.6bn is a factor of **2.0**."})],
        ),
        new_markdown_cell("## Estimate"),
        new_code_cell("fan(forecast)", outputs=[display(chart())]),
        new_code_cell("model_table(scores)", outputs=[display(table())]),
        new_markdown_cell("## Checks"),
        new_code_cell(
            "frame.head()",
            outputs=[
                new_output("stream", name="stdout", text="\x1b[32mall checks passed\x1b[0m\n"),
                new_output("stream", name="stderr", text="/home/someone/lib/site.py:3: UserWarning: short series\n"),
                new_output(
                    "execute_result",
                    data={
                        "text/html": "<style scoped>td {color:red}</style>"
                        "<table><tr><th>a</th></tr><tr><td>1</td></tr></table>"
                    },
                ),
            ],
        ),
        *extra_cells,
        new_markdown_cell("## Limits\n\nFour annual points of the current definition, and a break in 2022."),
        new_code_cell(
            "for name, (value, unit, meaning) in results.items():\n    record(name, value, unit=unit, meaning=meaning)",
            outputs=records,
        ),
        new_code_cell(
            "regression()",
            metadata={"tags": ["keep_output", "nbval-check-output"]},
            outputs=[new_output("stream", name="stdout", text="required_growth_pct  12.25  [% a year]\n")],
        ),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return new_notebook(cells=cells)


def result(**changes) -> dict:
    """A result.json to go with the notebook; keyword arguments replace fields."""
    content = {
        "notebook": "11_export_forecast",
        "set": "late_target",
        "status": "ok",
        "title": QUESTION,
        "question": QUESTION,
        "answer": ANSWER,
        "parameters": {"series": "biopharma", "target_year": 2032, "interval_levels": [0.5, 0.8], "seed": 20260831},
        "results": {n: {"value": v, "unit": u, "meaning": m} for n, (v, u, m) in RECORDS.items()},
        "inputs": {
            "tables": {"biopharma_exports_annual": "a3" * 32, "biohealth_exports_monthly": "5c" * 32},
            "code": "0f" * 32,
            "lock": "9b" * 32,
            "commit": "c0ffee",
            "dirty": False,
            "versions": {"python": "3.11.9", "pandas": "3.1.0", "statsmodels": "0.15.0"},
        },
        "seconds": 1.5,
        "error": None,
    }
    return content | changes


def spec() -> SimpleNamespace:
    """The declared parameters of the notebook, as the page asks for them."""
    lines = [
        ("series", "biopharma", "Which definition of exports is forecast", None),
        ("target_year", 2030, "Year by which the target is to be reached", None),
        ("interval_levels", [0.5, 0.8], "Levels of the forecast intervals", "share"),
        ("seed", 20260831, "Seed of the simulated paths", None),
    ]
    parameters = tuple(SimpleNamespace(name=n, default=d, meaning=m, unit=u) for n, d, m, u in lines)
    return SimpleNamespace(name="11_export_forecast", question=QUESTION, parameters=parameters)


def lay_site(site: Path, count: int) -> None:
    """Lay ``count`` finished reports below ``site``, one in fifty of them failing since, without their pages.

    A third of them, those of the agreement notebook, belong to a batch.
    """
    partners = [f"{a}{b}{c}" for a in "ABCDEFGHIJ" for b in "KLMNOPQRST" for c in "UVWXYZ"]
    for i in range(count):
        name = ("11_export_forecast", "22_partner_agreement", "30_diversification")[i % 3]
        set_name = "default" if i < 3 else f"partner_{partners[i % len(partners)].lower()}_{i}"
        folder = site / name / set_name
        folder.mkdir(parents=True)
        values = {
            "partner": "IND" if i < 3 else partners[i % len(partners)],
            "target_year": 2030 + i % 3,
            "as_of": "2026-08-31",
        }
        question = {"11": QUESTION, "22": "What could an agreement with a partner bring?"}.get(
            name[:2], "Is there room elsewhere?"
        )
        against = f"{i % 41 - 20:+d}% against the base"
        answer = f"Exports to {values['partner']} reach ${5 + i / 97:.2f}bn by {values['target_year']}, {against}."
        content = result(notebook=name, set=set_name, parameters=values, question=question)
        results = {n: {"value": v, "unit": u, "meaning": m} for n, (v, u, m) in RECORDS.items()}
        for record in results.values():
            if isinstance(record["value"], float):
                record["value"] *= 1 + i / 97
        content |= {"answer": answer, "results": results}
        content |= {"batch": "all_partners"} if name.startswith("22") else {}
        (folder / "result.json").write_text(json.dumps(content), encoding="utf-8")
        (folder / "index.html").write_text("<!DOCTYPE html><title>page</title>", encoding="utf-8")
        if i % 50 == 7:
            error = {"cell": 4, "type": "ModelInputError", "message": "partner has 2 points; at least 3 are needed"}
            failed = content | {"status": "failed", "error": error}
            (folder / "failure.json").write_text(json.dumps(failed), encoding="utf-8")
            (folder / "log.txt").write_text("Traceback\n", encoding="utf-8")
