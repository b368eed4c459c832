"""The look of charts: colours, type, how long a text is; and Hangul, in them and in an analyst's own figures.

Only the modules of ``present`` import matplotlib.
"""

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import matplotlib
from matplotlib.font_manager import FontProperties, findSystemFonts, fontManager
from matplotlib.textpath import text_to_path

COLOURS = {"blue": "#0b5394", "amber": "#b45309", "green": "#2e7d4f", "purple": "#7b3fa0", "red": "#b3261e"}
COLOURS |= {"grey": "#5b6770", "ink": "#1f2328", "muted": "#57606b", "pale": "#d8dde3", "paper": "#fdfdfc"}
CYCLE = ("blue", "amber", "green", "purple", "red", "grey")
INK, MUTED, PALE, PAPER = (COLOURS[name] for name in ("ink", "muted", "pale", "paper"))

SIZE, LINE = 10.0, 13.0
_FAMILY = "DejaVu Sans"
_THEME = {
    "font.family": [_FAMILY], "font.size": SIZE, "text.color": INK, "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round", "figure.facecolor": "none", "savefig.facecolor": "none", "svg.fonttype": "path",
    "svg.hashsalt": "kbio", "path.simplify_threshold": 0.5, "text.parse_math": False,
}  # fmt: skip
_TYPE = FontProperties(family=_FAMILY, size=SIZE)
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
KOREAN_FONTS = ("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo", "UnDotum")


@contextmanager
def theme(*, korean: bool = False) -> Iterator[None]:
    """The project's look for the length of one drawing: an analyst's own matplotlib settings stay untouched."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_THEME)
        if korean:
            matplotlib.rcParams["font.family"] = [_FAMILY, *filter(None, [korean_font()])]
            matplotlib.rcParams["svg.fonttype"] = "path" if korean_font() else "none"  # none: real text
            warnings.filterwarnings("ignore", message="Glyph")
        yield


def measure(text: str) -> float:
    """Points that the longest line of ``text`` takes."""
    return max(map(_measured, text.split("\n")))


def fold(text: str, room: float) -> str:
    """The text in lines of at most ``room`` points, broken between words."""
    lines: list[str] = []
    for word in text.split():
        if lines and measure(f"{lines[-1]} {word}") <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "\n".join(lines)


def has_hangul(text: str) -> bool:
    """Whether the text needs a Korean font; where there is none, that is said once."""
    found = _HANGUL.search(text) is not None
    if found and korean_font() is None:
        _say_once()
    return found


@lru_cache(maxsize=4096)
def _measured(line: str) -> float:
    square, rest = len(_HANGUL.findall(line)), _HANGUL.sub("", line)
    return square * SIZE + text_to_path.get_text_width_height_descent(rest, _TYPE, False)[0]


@lru_cache(maxsize=1)
def korean_font() -> str | None:
    """A Korean font of this system, also one installed after matplotlib made its list."""
    for file in () if _listed_font() else findSystemFonts():
        if re.search("CJK|NotoSansKR|Nanum|malgun|AppleSDGothic|UnDotum", file):
            fontManager.addfont(file)
    return _listed_font()


def _listed_font() -> str | None:
    installed = {font.name for font in fontManager.ttflist}
    return next((name for name in KOREAN_FONTS if name in installed), None)


@lru_cache(maxsize=1)
def _say_once() -> None:
    what = f"no Korean font is installed, such as {KOREAN_FONTS[0]}: Hangul in charts is left to the reader's browser"
    print(f"{what}; in plain figures it cannot be read", file=sys.stderr)


def plain_figures() -> None:
    """Let an analyst's own figures have Hangul, too: set by a Korean font, or else missed in one message."""
    family, usual = [*matplotlib.rcParams["font.family"], _listed_font()], warnings.showwarning
    matplotlib.rcParams["font.family"] = list(dict.fromkeys(filter(None, family)))

    def told(message: Any, *where: Any, **more: Any) -> None:
        found = re.match(r"Glyph (\d+) ", str(message))
        if found and _HANGUL.match(chr(int(found[1]))):
            _say_once()
        else:
            usual(message, *where, **more)

    warnings.showwarning = told
