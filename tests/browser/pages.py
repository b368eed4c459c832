"""What every page must stand up to in a real browser, whichever page it is.

``check_page(url, browser)`` looks at a page as its readers do (light and dark, desktop and telephone, its policy in
force) and fails with the list of all that is wrong: requests, console messages, axe-core's violations, sideways
scroll, cut text, charts that are not to be seen.
"""

from functools import cache
from importlib.resources import files

from playwright.sync_api import Browser, Page

SCREENS = (("light", 1280), ("dark", 1280), ("light", 375), ("dark", 375))
TWO_SCREENS = (("light", 1280), ("dark", 375))  # every scheme and width once, for pages made as the full ones are
HEIGHT = 900

_SIDEWAYS = "() => document.documentElement.scrollWidth - window.innerWidth"

_CUT = """() => [...document.querySelectorAll("body *")].filter((e) => {
  const style = getComputedStyle(e);
  const hides = (side) => ["hidden", "clip"].includes(style[side]);
  if (e.classList.contains("quiet") || style.display === "inline" || !e.clientWidth) return false;
  const [wide, high] = [e.scrollWidth > e.clientWidth + 1, e.scrollHeight > e.clientHeight + 1];
  return (hides("overflowX") && wide) || (hides("overflowY") && high);
}).map((e) => `${e.tagName}.${e.className}: ${e.textContent.slice(0, 60)}`)"""

# Text in a drawing is glyphs (use) or text elements; marks that the axes clip on purpose are left out.
_CUT_IN_DRAWING = """(svg) => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text, use")].filter((e) => !e.closest("[clip-path]")).filter((e) => {
    const box = e.getBoundingClientRect();
    const beside = Math.max(frame.left - box.left, box.right - frame.right);
    return box.width && Math.max(beside, frame.top - box.top, box.bottom - frame.bottom) > 1;
  }).length;
}"""

_CHARTS = """() => [...document.querySelectorAll("figure.chart")].filter((figure) => {
  const [image, box] = [figure.querySelector("img"), figure.querySelector("img").getBoundingClientRect()];
  return !image.naturalWidth || box.width < 250 || box.height < 60 || box.right > window.innerWidth;
}).map((figure) => figure.id)"""

_AXE = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
  (v) => `${v.id}: ${v.help} (${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(" | ")})`)"""


@cache
def _axe_source() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def check_page(page_url: str, browser: Browser, screens: tuple[tuple[str, int], ...] = TWO_SCREENS) -> None:
    """Fail with everything that is wrong with the page on any of the screens (colour scheme, width in CSS pixels)."""
    problems = [f"{s} {w}: {p}" for s, w in screens for p in problems_of(page_url, browser, s, w)]
    assert not problems, f"{page_url}\n" + "\n".join(problems)


def problems_of(page_url: str, browser: Browser, scheme: str, width: int) -> list[str]:
    """Everything that is wrong with the page on one screen; empty for a sound page."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": HEIGHT})
    try:
        page = context.new_page()
        problems = listen(page, page_url)
        page.goto(page_url, wait_until="load")
        page.wait_for_function("document.readyState === 'complete'")
        if page.evaluate(_SIDEWAYS) > 0:
            problems.append(f"scrolls sideways by {page.evaluate(_SIDEWAYS)} px")
        problems += [f"cut text: {found}" for found in page.evaluate(_CUT)]
        problems += [f"chart not to be seen: {found}" for found in page.evaluate(_CHARTS)]
        # Evaluated from outside the page, so that its policy stays in force.
        page.evaluate(_axe_source())
        problems += [f"axe {found}" for found in page.evaluate(_AXE)]
        return problems
    finally:
        context.close()


def cut_in_charts(page_url: str, browser: Browser) -> list[str]:
    """Alt text of the charts whose own text is cut, each opened as the file it is."""
    with browser.new_context() as context:
        page, drawing = context.new_page(), context.new_page()
        page.goto(page_url)
        found = []
        for image in page.locator(".chart img").all():
            drawing.goto(image.get_attribute("src"))
            found += [image.get_attribute("alt")] * drawing.locator("svg").first.evaluate(_CUT_IN_DRAWING)
        return found


def listen(page: Page, page_url: str) -> list[str]:
    """Note from now on whatever a self-contained page must not do: requests, console messages, errors, dialogs."""
    heard: list[str] = []

    def on_request(url: str) -> None:
        if url.split("#")[0] != page_url.split("#")[0] and not url.startswith("data:"):
            heard.append(f"request: {url}")

    page.on("request", lambda request: on_request(request.url))
    page.on("console", lambda message: heard.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: heard.append(f"script error: {error}"))
    page.on("dialog", lambda dialog: (heard.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    return heard
