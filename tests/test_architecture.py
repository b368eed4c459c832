"""The shape of the house: who may import whom, what importing costs, what stays out of the tree."""

import ast
import re
import subprocess
import sys
from pathlib import Path

MAY_IMPORT = {
    "vocabulary": set(),
    "errors": set(),
    "reading": {"errors"},
    "notebooks": {"errors", "reading"},
    "data": {"vocabulary", "errors", "reading", "notebooks"},
    "models": {"vocabulary", "errors"},
    "present": {"vocabulary", "errors", "models"},
    "render": {"errors", "reading", "notebooks", "data"},
    "cli": {"errors", "notebooks", "data", "render"},
}
MAX_FUNCTION_LINES = 60
MAX_MODULE_LINES = 450  # a reader holds about 250 in mind; docstrings may take the rest
HOUSE = Path(__file__).resolve().parents[1] / "kbio_analysis"
TEXTS = {path.relative_to(HOUSE).as_posix(): path.read_text(encoding="utf-8") for path in sorted(HOUSE.rglob("*.py"))}
TREES = {name: ast.parse(text) for name, text in TEXTS.items()}


def _room(module: str) -> str:
    return module.split("/")[0].removesuffix(".py")


def _imports(module: str, *, typing: bool = True) -> set[str]:
    """The dotted names a module imports anywhere, relative imports resolved, and the modules they come from; without
    ``typing`` less those that only its annotations need."""
    tree, package = TREES[module], ["kbio_analysis", *module.split("/")[:-1]]
    guards = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)]
    passed = set() if typing else {part for guard in guards for part in ast.walk(guard)}
    names = set()
    for node in (n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom) and n not in passed):
        stem = ""
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *filter(None, [node.module])])
            names.add(stem)
        names |= {f"{stem}.{alias.name}".lstrip(".") for alias in node.names}
    return names


def test_rooms_import_only_upward_and_no_private_name() -> None:
    wrong = []
    for module in TREES:
        room = _room(module)
        for name in _imports(module):
            house, _, inside = name.partition(".")
            target, last = inside.split(".")[0], name.rsplit(".", 1)[-1]
            allowed = {room, "__version__"} | MAY_IMPORT.get(room, {*MAY_IMPORT})
            if house == "kbio_analysis" and inside and (target not in allowed or re.match("_(?!_)", last)):
                wrong.append(f"{module} imports {name}")
            if house == "matplotlib" and room != "present":
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_models_touch_neither_disk_nor_screen() -> None:
    models = [node for module, tree in TREES.items() if _room(module) == "models" for node in ast.walk(tree)]
    called = {ast.unparse(node.func) for node in models if isinstance(node, ast.Call)}
    assert called & {"open", "print"} == set()


def test_importing_the_package_is_light() -> None:
    heavy = ["pandas", "matplotlib", "statsmodels", "papermill", "nbconvert", "pandera"]
    code = f"import sys, kbio_analysis.data; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_modules_and_functions_stay_small_enough_to_hold_in_mind() -> None:
    long = {name: n for name, text in TEXTS.items() if (n := len(text.splitlines())) > MAX_MODULE_LINES}
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines, name = node.end_lineno - node.lineno + 1, f"{module}: {node.name}"
                long |= {name: lines} if lines > MAX_FUNCTION_LINES else {}
    assert long == {}


def test_no_module_imports_itself_by_way_of_others() -> None:
    dotted = {f"kbio_analysis.{name[:-3].replace('/', '.')}".removesuffix(".__init__"): name for name in TREES}
    imports = {name: _imports(module, typing=False) & dotted.keys() - {name} for name, module in dotted.items()}
    for name, others in imports.items():  # a package may name its parts
        imports[name] = {other for other in others if not other.startswith(f"{name}.")}
    while leaves := [name for name, others in imports.items() if not others & imports.keys()]:
        for name in leaves:
            del imports[name]
    assert {name: sorted(others & imports.keys()) for name, others in imports.items()} == {}


def test_no_refusal_recommends_a_call_that_its_library_may_deprecate() -> None:
    """A message names what is wanted, not a call of pandas or numpy: such a call ages unseen (one had)."""
    nodes = [node for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    texts = [node.value for node in nodes if isinstance(node.value, str)]
    assert [text[:80] for text in texts if re.search(r"\b(pd|np)\.\w+\(", text)] == []


def _sentences(module: str) -> list[str]:
    """Texts of six words and more that end as sentences do: no docstring, and nothing that is raised."""
    nodes = list(ast.walk(TREES[module]))
    passed = {part for n in nodes if isinstance(n, ast.Raise) for part in ast.walk(n)}
    passed |= {n.value for n in nodes if isinstance(n, ast.Expr)}
    passed |= {part for n in nodes if isinstance(n, ast.JoinedStr) for part in n.values}
    found = []
    for node in (n for n in nodes if isinstance(n, ast.JoinedStr | ast.Constant) and n not in passed):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        text = "".join(p.value if isinstance(getattr(p, "value", None), str) else "x" for p in parts).strip()
        if len(text.split()) >= 6 and text.endswith((".", "!", "?")):
            found.append(f"{module}:{node.lineno}: {text[:80]}")
    return found


def test_sentences_stand_in_notebooks_and_not_in_the_library() -> None:
    """An analyst who changes a word edits a cell; the library keeps errors, alt texts and labels."""
    rooms = [module for module in TREES if _room(module) in ("data", "models", "present")]
    assert [said for module in rooms for said in _sentences(module)] == []
    functions = [node.name for tree in TREES.values() for node in ast.walk(tree) if hasattr(node, "name")]
    assert [name for name in functions if name and name.endswith(("_sentence", "_sentences"))] == []
