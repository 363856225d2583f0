"""Every package that the code imports is declared in setup.cfg, and those of an extra in that extra."""

import ast
import configparser
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import vidmodel_tf

PACKAGE = Path(vidmodel_tf.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
DISTRIBUTIONS = packages_distributions()  # by module
SETUP = configparser.ConfigParser()
SETUP.read(PACKAGE.parent / "setup.cfg", encoding="utf-8")


def names_in(requirements: str) -> set[str]:
    lines = [line for line in requirements.splitlines() if line and not line.startswith("#")]
    return {normal(re.split(r"[\[<>=~! ;]", line)[0]) for line in lines}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported_modules(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add((node.module or "").split(".")[0])
    # `_typeshed` comes with type checkers and is never imported when the program runs.
    return names - set(sys.stdlib_module_names) - {"vidmodel_tf", "_typeshed"}


def imported_extras(tree: ast.AST) -> set[tuple[str, str]]:
    """(module, extra) of every `import_extra("MODULE", extra="EXTRA", ...)`."""
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "import_extra"
    ]
    return {
        (call.args[0].value.split(".")[0], next(word.value.value for word in call.keywords if word.arg == "extra"))
        for call in calls
        if isinstance(call.args[0], ast.Constant)
    }


def is_declared(module: str, declared: set[str]) -> bool:
    return any(normal(name) in declared for name in DISTRIBUTIONS.get(module, ()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_is_imported_is_declared(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    declared = names_in(SETUP["options"]["install_requires"])
    extras = {extra: names_in(names) for extra, names in SETUP["options.extras_require"].items() if extra != "test"}
    for module in imported_modules(tree):
        assert is_declared(module, declared.union(*extras.values())), f"{path} imports {module}: add it to setup.cfg"
    for module, extra in imported_extras(tree):
        assert is_declared(module, extras[extra]), f"{path} imports {module}: add it to the extra {extra!r}"


def test_extras_are_tested():
    """Whatever an extra installs, the extra `test` installs too."""
    extras = {extra: names_in(names) for extra, names in SETUP["options.extras_require"].items()}
    tested = extras.pop("test")
    assert set().union(*extras.values()) <= tested
