"""``%%say``: holes filled from the notebook, refusals by name, text that no front end takes for markup."""

import mistune
import pytest

from kbio_analysis.errors import UsageError
from kbio_analysis.present import prose
from kbio_analysis.present.outputs import MIME

NAMES = {"sales_usd_m": 5800.0, "p": 0.41, "n": 3, "name": "A *bold* <b>$ma_th$</b> name", "later": [2025], "rows": []}


BRANCHES = """
Exports of {{ usd(sales_usd_m) }}
{% if later %}
grew in {{ later[0] }},
{% endif %}
{% if rows %}
never shown,
{% endif %}
with {{ n|count("case") }}.
"""


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (BRANCHES, r"Exports of US\$5.8bn grew in 2025, with 3 cases."),
        ("One\nline.\n\nTwo.\n\n- a {{ n }}\n- b\n  goes on\n", "One line.\n\nTwo.\n\n- a 3\n- b goes on"),
        ("{{ '[link](x.html)'|markdown }} **bold**", "[link](x.html) **bold**"),
    ],
)
def test_holes_branches_paragraphs_and_what_an_author_lets_through(template: str, text: str) -> None:
    assert prose.written(template, NAMES) == text


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ sale_usd_m }}", "no 'sale_usd_m'; did you mean sales_usd_m"),
        ("{{ usd(sale_usd_m) }}", "no 'sale_usd_m'"),
        ("{% if n > 5 %}{{ unknown_everywhere }}{% endif %}", "no 'unknown_everywhere'"),
        ("{{ later.first }}", "no attribute 'first'"),
        ("{{ p }}", "0.41; pass it through a word"),
        ("{{ later }}", "pass it through a word"),
        ("{{ n > 2 }}", "True; pass it through a word"),
        ("{{ none }}", r"nothing \(None\)"),
        ("line\n{% if %}", "line 2"),
    ],
)
def test_what_is_refused(template: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        prose.written(template, NAMES)


def test_text_from_data_stays_text() -> None:
    text = prose.written("From {{ name }} and US$5, US$6.", NAMES)
    html = str(mistune.html(text))
    assert [tag for tag in ("<b>", "<strong>", "<em>") if tag in html] == []
    assert "A *bold* &lt;b&gt;$ma_th$&lt;/b&gt; name and US$5, US$6." in html
    assert text.count(r"\$") == text.count("$")  # no dollar left that could open a formula


class _Shell:
    user_ns = NAMES


def test_the_answer_is_marked_and_an_empty_text_shows_nothing(
    shown: list[dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("IPython.get_ipython", lambda: _Shell())
    prose.say("answer", "About {{ odds_word(0.5) }}.")
    prose.say("", "{% if n > 5 %}Nothing.{% endif %}")
    prose.say("", "More, US$5 and US$6.")
    assert [bundle[MIME] for bundle in shown] == [
        {"kind": "answer", "text": "About about even."},
        {"kind": "sentence", "text": r"More, US\$5 and US\$6."},
    ]
    assert shown[1]["text/markdown"] == r"More, US<span>\$</span>5 and US<span>\$</span>6."
    assert shown[0]["text/markdown"] == "**About about even.**"
    with pytest.raises(UsageError, match="%%say answer"):
        prose.say("aswer", "x")
