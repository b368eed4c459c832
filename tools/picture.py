"""The picture of a report for the README: the top of a freshly rendered page and its headline chart, by Chromium.

Run through ``make picture``. The file is small because it holds few colours; it is looked at, not compared.
"""

import io
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from kbio_analysis.render.forms import opened_browser

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "report.png"
NOTEBOOK = "11_export_forecast"
CHART = "fig-fan"
WIDTH, COLOURS, MARGIN = 1100, 200, 24


def main() -> None:
    """Render the notebook aside and write its picture."""
    with TemporaryDirectory(prefix="kbio-picture-") as folder, opened_browser() as browser:
        kbio = Path(sys.executable).parent / "kbio"
        subprocess.run([kbio, "render", NOTEBOOK, "--out", folder], cwd=ROOT, check=True)
        context = browser.new_context(viewport={"width": WIDTH, "height": 900}, color_scheme="light", offline=True)
        page = context.new_page()
        page.goto((Path(folder) / NOTEBOOK / "default" / "index.html").as_uri())
        head = page.get_by_role("navigation", name="Contents").bounding_box()["y"]
        chart = page.locator(f"figure#{CHART}").bounding_box()
        strips = [(0.0, head - MARGIN), (chart["y"] - MARGIN, chart["height"] + 2 * MARGIN)]
        shots = [
            page.screenshot(full_page=True, clip={"x": 0, "y": y, "width": WIDTH, "height": height})
            for y, height in strips
        ]
        context.close()
    parts = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]
    whole = Image.new("RGB", (WIDTH, sum(part.height for part in parts)))
    for part, top in zip(parts, (0, parts[0].height), strict=True):
        whole.paste(part, (0, top))
    picture = whole.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    picture.save(PICTURE, optimize=True)
    print(f"{PICTURE.relative_to(ROOT)}: {picture.width} x {picture.height}, {PICTURE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
