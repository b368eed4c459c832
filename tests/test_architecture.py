"""The shape of the house: who may import whom, what importing costs, what stays out of the tree."""

import ast
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pandas as pd
import pytest

ROOMS = ("vocabulary", "errors", "reading", "data", "models", "present", "render", "cli")
MAY_IMPORT = {
    "vocabulary": set(),
    "errors": set(),
    "reading": {"errors"},
    "data": {"vocabulary", "errors", "reading"},
    "models": {"vocabulary", "errors"},
    "present": {"vocabulary", "errors", "models"},
    "render": {"errors", "reading", "data"},
    "cli": {"errors", "data", "render"},
}
IMPORT_BUDGET_SECONDS = 1.0  # the package aims at 0.2 s; the test allows for a busy machine
MAX_FUNCTION_LINES = 60
STILL_LONG = {"kbio_analysis/data/drafts.py: new_table"}
MAX_MODULE_LINES = 450  # a reader holds about 250 in mind; docstrings may take the rest


def _modules(root: Path) -> list[Path]:
    return sorted((root / "kbio_analysis").rglob("*.py"))


def _room(module: Path, root: Path) -> str:
    return module.relative_to(root / "kbio_analysis").parts[0].removesuffix(".py")


def _imports(module: Path, root: Path) -> set[str]:
    """Dotted kbio_analysis names a module imports, relative imports resolved."""
    package = ("kbio_analysis", *module.relative_to(root / "kbio_analysis").parent.parts)
    names = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names |= {f"{stem}.{a.name}" for a in node.names}
    return {n for n in names if n.startswith("kbio_analysis.")}


def test_rooms_import_only_upward(root: Path) -> None:
    wrong = []
    for module in _modules(root):
        room = _room(module, root)
        if room not in MAY_IMPORT:
            continue
        for name in _imports(module, root):
            target = name.split(".")[1]
            if target in ROOMS and target != room and target not in MAY_IMPORT[room]:
                wrong.append(f"{module.relative_to(root)} imports {name}")
    assert not wrong


def test_no_module_imports_anothers_private_name(root: Path) -> None:
    private = [
        f"{m.relative_to(root)}: {n}"
        for m in _modules(root)
        for n in _imports(m, root)
        if n.rsplit(".", 1)[1].startswith("_") and not n.rsplit(".", 1)[1].startswith("__")
    ]
    assert not private


def test_only_what_presents_imports_matplotlib(root: Path) -> None:
    allowed = root / "kbio_analysis" / "present"
    users = []
    for module in _modules(root):
        for node in ast.walk(ast.parse(module.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            inside = module.is_relative_to(allowed)
            if any(n.split(".")[0] == "matplotlib" for n in names) and not inside:
                users.append(str(module.relative_to(root)))
    assert not users


def test_models_touch_neither_disk_nor_screen(root: Path) -> None:
    calls = []
    for module in sorted((root / "kbio_analysis" / "models").glob("*.py")):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"open", "print"}:
                calls.append(f"{module.name}:{node.lineno}")
    assert not calls


@pytest.mark.parametrize("heavy", ["pandas", "matplotlib", "statsmodels", "papermill", "nbconvert", "pandera"])
def test_importing_the_package_is_light(heavy: str) -> None:
    code = f"import sys, kbio_analysis, kbio_analysis.data; sys.exit({heavy!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == 0


def test_the_command_line_starts_without_the_notebook_stack() -> None:
    stack = ["pandas", "papermill", "nbconvert", "matplotlib"]
    code = f"import sys, kbio_analysis.cli; print([m for m in {stack} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_modules_stay_small_enough_to_hold_in_mind(root: Path) -> None:
    sizes = {str(m.relative_to(root)): len(m.read_text().splitlines()) for m in _modules(root)}
    assert {name: n for name, n in sizes.items() if n > MAX_MODULE_LINES} == {}


def _is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _imported(module: Path, root: Path) -> set[str]:
    """The modules that a module imports anywhere, in functions too, but for those that only its annotations need."""
    tree = ast.parse(module.read_text())
    typing = {id(part) for node in ast.walk(tree) if _is_for_types_only(node) for part in ast.walk(node)}
    package = ("kbio_analysis", *module.relative_to(root / "kbio_analysis").parent.parts)
    names = set()
    for node in ast.walk(tree):
        if id(node) not in typing and isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif id(node) not in typing and isinstance(node, ast.ImportFrom):
            base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
            stem = base if node.level else node.module or ""
            names |= {stem} | {f"{stem}.{alias.name}" for alias in node.names}
    return names


def test_no_module_imports_itself_by_way_of_others(root: Path) -> None:
    dotted = {".".join(m.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): m for m in _modules(root)}
    imports = {name: _imported(module, root) & dotted.keys() - {name} for name, module in dotted.items()}
    for name, others in imports.items():  # a package may name its parts
        imports[name] = {other for other in others if not other.startswith(f"{name}.")}
    while leaves := [name for name, others in imports.items() if not others & imports.keys()]:
        for name in leaves:
            del imports[name]
    assert {name: sorted(others & imports.keys()) for name, others in imports.items()} == {}


def test_functions_stay_short_enough_to_read_at_once(root: Path) -> None:
    long = {}
    for module in _modules(root):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = node.end_lineno - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    long[f"{module.relative_to(root)}: {node.name}"] = lines
    assert {name: lines for name, lines in long.items() if name not in STILL_LONG} == {}


def test_no_refusal_recommends_a_call_that_its_library_has_deprecated(root: Path) -> None:
    """What a message tells an analyst to type is typed here, warnings being errors."""
    calls = re.compile(r"\bpd\.\w+\((?:[^()\n]|\([^()\n]*\))*\)")
    said = {text for m in _modules(root) for text in calls.findall(m.read_text())}
    advice = [text for text in said if "years" in text and "freq='Y'" in text]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for text in advice:
            eval(text, {"pd": pd, "years": [2020, 2021]})


REMARKS = {"forecast.py"}  # models whose results carry a remark on what they could not do


def _sentences(module: Path) -> list[str]:
    """Texts of six words and more that end as sentences do: no docstring, and nothing that is raised."""
    nodes = list(ast.walk(ast.parse(module.read_text())))
    passed = {id(part) for n in nodes if isinstance(n, ast.Raise) for part in ast.walk(n)}
    passed |= {id(n.value) for n in nodes if isinstance(n, ast.Expr)}
    passed |= {id(part) for n in nodes if isinstance(n, ast.JoinedStr) for part in n.values}
    found = []
    for node in nodes:
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        texts = [p.value if isinstance(p, ast.Constant) and isinstance(p.value, str) else "x" for p in parts]
        text = (
            "".join(texts).strip() if isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in passed else ""
        )
        if len(text.split()) >= 6 and text.endswith((".", "!", "?")):
            found.append(f"{module.name}:{node.lineno}: {text[:80]}")
    return found


def test_sentences_stand_in_notebooks_and_not_in_the_library(root: Path) -> None:
    """An analyst who changes a word edits a cell; the library keeps errors, alt texts and labels."""
    rooms = [m for m in _modules(root) if _room(m, root) in ("data", "models", "present") and m.name not in REMARKS]
    assert [said for module in rooms for said in _sentences(module)] == []
    functions = [n.name for m in _modules(root) for n in ast.walk(ast.parse(m.read_text())) if hasattr(n, "name")]
    assert [name for name in functions if name and name.endswith(("_sentence", "_sentences"))] == []
