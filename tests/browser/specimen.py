"""A made-up report that shows everything a page can hold, built by code; and a site of many such reports."""

from pathlib import Path
from types import SimpleNamespace

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from render.test_site import report

MIME = "application/vnd.kbio.v1+json"
HOSTILE = """</title></style><script>alert(1)</script><img src=x onerror="alert(2)">]]>'"&amp;<!--\x1b[31mred"""

QUESTION = "Will exports double to $11.6bn by 2030, and how do they run against 11.9% segment growth?"
ANSWER = (
    "Doubling by 2030 asks for **12.25%** a year, a little more than the 11.9% of the segment; the chance is **41%**."
)

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 300"><style/><g style="fill: none; stroke-width: 2">'
    '<path d="M 40 260 L 200 160 L 440 40" style="stroke: #0b5394"/></g>'
    '<text x="40" y="290" style="font: 12px sans-serif; fill: #000">2018</text></svg>'
)
RECORDS = {
    "required_growth_pct": (12.246204830937302, "% a year", "Growth that doubling by 2030 requires"),
    "segment_path_2030_usd_m": (11386.98, "US$ million", "Exports in 2030 at the segment's 11.9% a year"),
    "median_doubling_year": (2031, "year", "Median year of doubling"),
    "definition_is_comparable": (False, "", "Whether the base value follows the definition that is forecast"),
}
SHARED = {"source": "Customs service, https://example.org/exports; own calculation", "csv": "year,exports\n2024,5.8\n"}


def display(payload: dict):
    """A kbio output beside its fallback for other readers."""
    return new_output("display_data", data={MIME: payload, "text/plain": "fallback"})


def chart(**changes) -> dict:
    """The payload of a chart; keyword arguments replace fields."""
    alt = "Exports rise from 3.1 to 6.5 billion dollars in 2025; the middle forecast reaches 11.4 in 2030."
    payload = {"kind": "chart", "id": "fan", "svg": DRAWING, "alt": alt, "csv_name": "fan.csv"} | SHARED
    return payload | {"caption": "Exports and their forecast to 2030, with the 80% interval."} | changes


def table(**changes) -> dict:
    """The payload of a table that is too wide for a telephone; keyword arguments replace fields."""
    labels = ("Model", "Scaled error", "Against naive, %", "Coverage of 80%, %", "Points", "Median 2030, US$ million")
    rows = [
        ["Random walk with drift", "1.02", "\u22122.1", "78", "36", "10,912"],
        ["Combination", "0.88", "+11.6", "82", "36", "11,387"],
    ]
    columns = [{"label": label, "align": "right" if i else "left"} for i, label in enumerate(labels)]
    payload = {"kind": "table", "id": "scores", "columns": columns, "rows": rows, "row_header": True} | SHARED
    return payload | {"caption": "Every model beside the naive one.", "csv_name": "scores.csv"} | changes


def notebook(*extra_cells):
    """An executed notebook with every kind of output; ``extra_cells`` come before the last section."""
    records = [
        display({"kind": "record", "name": n, "value": v, "unit": u, "meaning": m}) for n, (v, u, m) in RECORDS.items()
    ]
    foreign = "<style scoped>td {color:red}</style><table><tr><th>a</th></tr><tr><td>1</td></tr></table>"
    plain = [
        new_output("stream", name="stdout", text="\x1b[32mall checks passed\x1b[0m\n"),
        new_output("stream", name="stderr", text="/home/someone/lib/site.py:3: UserWarning: short series\n"),
        new_output("execute_result", data={"text/html": foreign}),
    ]
    cells = [
        f"# {QUESTION}\n\nA made-up paper, for looking at the page. The unit is US$ million throughout.",
        (
            'series: str = "biopharma"  # which definition\ntarget_year: int = 2030  # year of the target [2026..2040]',
            [],
        ),
        ("answer(doubling)", [display({"kind": "answer", "text": ANSWER})]),
        "## Data\n\nFour definitions; `5.8` is **none** of them, see [the agency](https://example.org/a?b=1&c=2).",
        ("definitions(frame)", [display(chart(id="defs", caption="The definitions side by side."))]),
        "## Design\n\nRequired growth follows from the base $x_0$, the multiple $m$ and the years $T - t_0$:\n\n"
        "$$g = m^{1/(T - t_0)} - 1, \\qquad \\sum_{t=1}^{T} \\frac{w_t\\,(y_t - \\hat{y}_t)^2}{\\sigma^2_{t|t-1}} "
        "\\le \\chi^2_{0.8}$$\n\n### Reference classes\n\n- short series borrow from long ones\n\n"
        "> A forecast is a statement about odds.\n\n| Kind | Share |\n|---|---:|\n| Vaccines | 12% |",
        ("say(odds)", [display({"kind": "sentence", "text": "From $5.8bn to $11.6bn is a factor of **2.0**."})]),
        "## Estimate",
        ("fan(forecast)", [display(chart())]),
        ("model_table(scores)", [display(table())]),
        "## Checks",
        ("frame.head()", plain),
        *extra_cells,
        "## Limits\n\nFour annual points of the current definition, and a break in 2022.",
        ("for name, result in results.items():\n    record(name, *result)", records),
        ("regression()", [new_output("stream", name="stdout", text="required_growth_pct  12.25  [% a year]\n")]),
    ]
    executed = book(*cells)
    executed.cells[1].metadata["tags"] = ["parameters"]
    executed.cells[-1].metadata["tags"] = ["keep_output", "nbval-check-output"]
    return executed


def book(*cells):
    """An executed notebook: a string is a Markdown cell, outputs are a code cell, a pair is its source and outputs."""
    made = []
    for number, cell in enumerate(cells):
        if isinstance(cell, str):
            made.append(new_markdown_cell(cell))
        else:
            source, outputs = cell if isinstance(cell, tuple) else ("show()", cell)
            made.append(new_code_cell(source, outputs=outputs))
        made[-1]["id"] = f"cell-{number}"
    return new_notebook(cells=made)


def result(**changes) -> dict:
    """A result.json to go with the notebook; keyword arguments replace fields."""
    content = {"notebook": "11_export_forecast", "set": "late_target", "status": "ok", "error": None}
    content |= {"question": QUESTION, "answer": ANSWER, "seconds": 1.5}
    content["parameters"] = {"series": "biopharma", "target_year": 2032, "interval_levels": [0.5, 0.8]}
    content["results"] = {n: {"value": v, "unit": u, "meaning": m} for n, (v, u, m) in RECORDS.items()}
    tables = {"biopharma_exports_annual": "a3" * 32, "biohealth_exports_monthly": "5c" * 32}
    content["inputs"] = {"tables": tables, "code": "0f" * 32, "lock": "9b" * 32, "versions": {"python": "3.11.9"}}
    return content | changes


def spec() -> SimpleNamespace:
    """The declared parameters of the notebook, as the page asks for them."""
    lines = [
        ("series", "biopharma", "Which definition of exports is forecast", None),
        ("target_year", 2030, "Year by which the target is to be reached", None),
        ("interval_levels", [0.5, 0.8], "Levels of the forecast intervals", "share"),
    ]
    return SimpleNamespace(parameters=[SimpleNamespace(name=n, default=d, meaning=m, unit=u) for n, d, m, u in lines])


def lay_site(site: Path, count: int) -> None:
    """Lay ``count`` finished reports below ``site``, one in fifty of them failing since, without their pages.

    A third of them, those of the agreement notebook, belong to a batch.
    """
    partners = [f"{a}{b}{c}" for a in "ABCDEFGHIJ" for b in "KLMNOPQRST" for c in "UVWXYZ"]
    asked = {
        "11_export_forecast": QUESTION,
        "22_partner_agreement": "What could an agreement with a partner bring?",
        "30_diversification": "Is there room elsewhere?",
    }
    error = {"cell": 4, "type": "ModelInputError", "message": "partner has 2 points; at least 3 are needed"}
    for i in range(count):
        name, partner = [*asked][i % 3], "IND" if i < 3 else partners[i % len(partners)]
        told = {"question": asked[name], "batch": "all_partners" if name.startswith("22") else None}
        told["parameters"] = {"partner": partner, "target_year": 2030 + i % 3, "as_of": "2026-08-31"}
        told["answer"] = f"Exports to {partner} reach ${5 + i / 97:.2f}bn, {i % 41 - 20:+d}% against the base."
        told["results"] = result()["results"]
        told["results"]["required_growth_pct"]["value"] *= 1 + i / 97
        told["failure"] = {"error": error} if i % 50 == 7 else None
        report(site, name, "default" if i < 3 else f"partner_{partner.lower()}_{i}", **told)
