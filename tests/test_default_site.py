"""The default site as `kbio render` makes it: complete, repeatable, anonymous, and guarded by its data."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from kbio_analysis.notebooks import reference_file
from kbio_analysis.render.references import compare, orphans, recorded

PAGE_BYTES_BEFORE_CHARTS = 200_000
RUN_SECONDS = 600


def _run(*arguments: str, root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = {"cwd": root, "env": os.environ | environment, "timeout": RUN_SECONDS}
    return subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, **settings)


def test_every_notebook_has_a_complete_report_as_its_reference_holds_it(rendered_site: Path, root: Path) -> None:
    for notebook in sorted((root / "notebooks").glob("[0-9]*.ipynb")):
        folder = rendered_site / notebook.stem / "default"
        result = json.loads((folder / "result.json").read_text())
        assert (result["status"], result["error"]) == ("ok", None)
        assert re.fullmatch(r"[0-9a-f]{64}", result["inputs"]["code"])
        assert result["inputs"]["tables"] or result["inputs"]["reports"]
        reference = json.loads(reference_file(root / "notebooks", notebook.stem).read_bytes())
        assert compare(reference, recorded(result, (folder / "executed.ipynb").read_bytes())) == []
    assert orphans(root / "notebooks", [path.parent.name for path in rendered_site.glob("*/default")]) == []


def test_pages_are_small_before_charts_ask_nothing_of_the_network_and_name_no_machine(
    rendered_site: Path, root: Path
) -> None:
    private = re.compile("|".join(re.escape(str(path)) for path in (root, f"{Path.home()}/", sys.prefix)))
    for path in rendered_site.rglob("*"):
        text = path.read_text(encoding="utf-8") if path.suffix in {".html", ".ipynb", ".json"} else ""
        assert not private.search(text), path
        if path.name == "index.html" and path.parent.name == "default":
            assert "Content-Security-Policy" in text
            assert "<script" not in text
            assert not re.search(r'(?:src|srcset)="(?!data:)', text)
            bare = re.sub(r"<figure\b.*?</figure>", "", text, flags=re.DOTALL)
            assert len(bare.encode()) < PAGE_BYTES_BEFORE_CHARTS, path


def test_a_second_build_gives_the_same_bytes(rendered_site: Path, root: Path, tmp_path: Path) -> None:
    done = _run("kbio_analysis", "render", "13", "--out", str(tmp_path / "again"), root=root)
    assert done.returncode == 0, done.stderr
    for name in ("index.html", "executed.ipynb"):
        first, again = (site / "13_reform_clock" / "default" / name for site in (rendered_site, tmp_path / "again"))
        assert first.read_bytes() == again.read_bytes()


def test_a_changed_figure_is_named_by_the_results_that_move(root: Path, tmp_path: Path) -> None:
    data = shutil.copytree(root / "data", tmp_path / "data")
    table = data / "tables" / "biopharma_exports_annual.csv"
    table.write_text(table.read_text().replace("biopharma_hs2022,2025,6520,", "biopharma_hs2022,2025,7520,"))
    assert _run("kbio_analysis.data.package", root=root, KBIO_DATA=str(data)).returncode == 0
    done = _run("kbio_analysis", "check", "11", root=root, KBIO_DATA=str(data))
    assert done.returncode == 1
    for name in ("latest_value_usd_m", "growth_since_base_pct", "growth_still_required_pct", "chart fan"):
        assert name in done.stdout
    assert "required_growth_pct: 12.2" not in done.stdout
