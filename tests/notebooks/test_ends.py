"""Notebooks at the ends of their parameters, one case of ends.yml each, and what is refused before or while it runs."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import answered, said

CASES = yaml.load(Path(__file__).with_name("ends.yml").read_text(encoding="utf-8"), yaml.BaseLoader)
KEYS = {"given", "answer", "text", "never", "shown", "hidden", "results"}


@pytest.mark.parametrize(("notebook", "case"), [(n, c) for n, cases in CASES.items() for c in cases])
def test_what_is_said_at_an_end(notebook: str, case: str) -> None:
    wanted: dict[str, Any] = CASES[notebook][case]
    assert set(wanted) <= KEYS
    found = answered(notebook, **wanted.get("given", {}))
    for part in ("answer", "text"):
        for words in wanted.get(part, []):
            assert words in getattr(found, part)
    for words in wanted.get("never", []):
        assert not re.search(words, found.text), words
    assert set(wanted.get("shown", [])) <= set(found.shown)
    assert set(wanted.get("hidden", [])).isdisjoint(found.shown)
    for name, value in wanted.get("results", {}).items():
        if isinstance(value, list):
            assert float(value[0]) <= found.results[name] <= float(value[1]), name
        else:
            assert str(found.results[name]) == value, name
    if notebook == "22_bangladesh_cepa":
        assert any(name.startswith("effect_") for name in found.results) is found.results["enough_data"]
        assert ("Bangladesh" in found.results["question"]) == ("partner" not in wanted.get("given", {}))


def test_a_slip_in_a_name_is_answered_with_the_name_meant() -> None:
    wrong = said("30_diversification", shock_partner="Bangladseh")
    assert wrong.status == "failed"
    assert "did you mean Bangladesh" in wrong.failure
