"""What the tests of everything shown share."""

import pytest


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Every bundle published, as a running IPython would send it; nothing is on record before or after."""
    bundles: list[dict] = []
    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    monkeypatch.setattr("IPython.display.publish_display_data", bundles.append)
    monkeypatch.setattr("kbio_analysis.present.results._recorded", {})
    return bundles


@pytest.fixture
def payloads(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What the charts of a test showed, in order."""
    from kbio_analysis.present import canvas

    shown: list[dict] = []
    monkeypatch.setattr(canvas, "show", lambda payload, fallback: shown.append(dict(payload)))
    return shown
