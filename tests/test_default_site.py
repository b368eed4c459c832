"""The default site as `kbio render` makes it: complete, repeatable, anonymous, and guarded by its data."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

KBIO = [str(Path(sys.executable).parent / "kbio")]
PAGE_BYTES_BEFORE_CHARTS = 200_000
RUN_SECONDS = 600


def _run(*arguments: str, root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    command = [*KBIO, *arguments]
    settings = {"cwd": root, "env": os.environ | environment, "timeout": RUN_SECONDS}
    return subprocess.run(command, capture_output=True, text=True, check=False, **settings)


def test_every_notebook_has_a_complete_report(rendered_site: Path, root: Path) -> None:
    for notebook in sorted((root / "notebooks").glob("[0-9]*.ipynb")):
        folder = rendered_site / notebook.stem / "default"
        result = json.loads((folder / "result.json").read_text())
        assert result["status"] == "ok"
        assert result["error"] is None
        assert {"index.html", "executed.ipynb", "result.json"} <= {p.name for p in folder.iterdir()}
        assert re.fullmatch(r"[0-9a-f]{64}", result["inputs"]["code"])
        assert result["inputs"]["tables"] or result["inputs"]["reports"]
    listed = json.loads((rendered_site / "index.json").read_text())
    assert "default" in json.dumps(listed)


def test_pages_are_small_before_charts_and_ask_nothing_of_the_network(rendered_site: Path) -> None:
    for page in rendered_site.glob("[0-9]*/*/index.html"):
        html = page.read_text(encoding="utf-8")
        assert "Content-Security-Policy" in html
        assert "<script" not in html
        assert not re.search(r'(?:src|srcset)="(?!data:)', html)
        bare = re.sub(r"<figure\b.*?</figure>", "", html, flags=re.DOTALL)
        assert len(bare.encode()) < PAGE_BYTES_BEFORE_CHARTS, page


def test_a_second_build_gives_the_same_bytes(rendered_site: Path, root: Path, tmp_path: Path) -> None:
    done = _run("render", "11", "--out", str(tmp_path / "again"), root=root)
    assert done.returncode == 0, done.stderr
    for name in ("index.html", "executed.ipynb"):
        first = rendered_site / "11_export_forecast" / "default" / name
        assert first.read_bytes() == (tmp_path / "again" / "11_export_forecast" / "default" / name).read_bytes()


def test_no_report_names_a_machine_path_or_a_user(rendered_site: Path, root: Path) -> None:
    private = re.compile(f"{re.escape(str(root))}|{re.escape(str(Path.home()))}/|{re.escape(sys.prefix)}")
    for path in rendered_site.rglob("*"):
        if path.suffix in {".html", ".ipynb", ".json"}:
            assert not private.search(path.read_text(encoding="utf-8")), path


@pytest.fixture
def doctored(root: Path, tmp_path: Path) -> Callable[[bool], Path]:
    """A copy of the data with KHIDI's 2025 figure changed, its passport renewed or not."""

    def make(renew: bool) -> Path:
        copy = tmp_path / "data"
        shutil.copytree(root / "data", copy)
        table = copy / "tables" / "biopharma_exports_annual.csv"
        text = table.read_text()
        assert "khidi_biopharma_hs2022,2025,6520," in text
        table.write_text(text.replace("khidi_biopharma_hs2022,2025,6520,", "khidi_biopharma_hs2022,2025,7520,"))
        if renew:
            _renew(copy, root)
        return copy

    return make


def _renew(copy: Path, root: Path) -> None:
    import os

    command = [sys.executable, "-m", "kbio_analysis.data.package"]
    subprocess.run(command, env=os.environ | {"KBIO_DATA": str(copy)}, cwd=root, check=True, capture_output=True)


def test_a_changed_figure_without_its_passport_stops_the_render_by_name(
    doctored: Callable[[bool], Path], root: Path, tmp_path: Path
) -> None:
    done = _run("render", "11", "--out", str(tmp_path / "site"), root=root, KBIO_DATA=str(doctored(False)))
    assert done.returncode in (1, 2)
    assert "biopharma_exports_annual" in done.stdout + done.stderr
    assert not list((tmp_path / "site").glob("*/*/index.html"))


def test_a_changed_figure_with_its_passport_is_named_by_the_results_that_move(
    doctored: Callable[[bool], Path], root: Path
) -> None:
    done = _run("check", "11", "00", root=root, KBIO_DATA=str(doctored(True)))
    assert done.returncode == 1
    for name in ("latest_value_usd_m", "growth_since_base_pct", "growth_still_required_pct", "chart fan"):
        assert name in done.stdout
    for name in ("move_exports_usd_m", "chart brief-fan", "records_stale: 0 -> "):
        assert name in done.stdout, "what is composed from it moves too"
    assert "required_growth_pct: 12.2" not in done.stdout


def test_the_committed_references_hold(root: Path) -> None:
    done = _run("check", root=root)
    assert done.returncode == 0, done.stdout + done.stderr
