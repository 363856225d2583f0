"""What holds for the package as a whole: its names, the direction of its imports, how light it is to load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vidmodel_tf

PACKAGE = Path(vidmodel_tf.__file__).parent

# From the bottom floor to the top, as in the description of the layout; a module imports only floors below its own.
FLOORS = [
    {
        "version",
        "errors",
        "progress",
        "labels",
        "quiet",
        "child_processes",
        "workers",
        "worker_of_pool",
        "worker_pool",
        "machines",
        "end_on_signals",
    },
    {"storage", "append_whole", "check_settings", "folder_lock"},
    {"user_cache", "extras"},
    {"remote"},
    {"recurrent"},
    {"backend"},
    {"integrity"},
    {"decision"},
    {"config"},
    {"video"},
    {"cluster"},
    {"words"},
    {"text"},
    {"model"},
    {"pages"},
    {"clips"},
    {"records"},
    {"run_folder"},
    {"training"},
    {"forms"},
    {"scoring"},
    {"timelines"},
    {"live"},
    {"evaluation"},
    {"export"},
    {"compression"},
    {"serving"},
    {"demo"},
    {"commands"},
    {"cli"},
    {"__main__", "__init__"},
]
WITHOUT_TENSORFLOW = (
    "backend",
    "clips",
    "cluster",
    "video",
    "words",
    "model",
    "remote",
    "text/fields",
    "text/tokenize.py",
    "text/vectors",
    "text/vocabulary",
    "config",
    "decision",
    "cli",
    "commands",
    "evaluation/cross_metrics",
    "integrity",
    "scoring/questions",
    "run_folder/check.py",
    "run_folder/formats",
    "run_folder/layout",
    "run_folder/settings_file",
    "serving",
)


def floor_of(module: str) -> int:
    return next(i for i, names in enumerate(FLOORS) if module.split(".")[0] in names)


def modules():
    return sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def imports_at_the_top(path: Path):
    yield from imports_of(ast.parse((PACKAGE / path).read_text(encoding="utf-8")).body)


def all_imports(path: Path):
    """Those inside functions too."""
    yield from imports_of(ast.walk(ast.parse((PACKAGE / path).read_text(encoding="utf-8"))))


def imports_of(nodes):
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", modules(), ids=str)
def test_imports_point_down(path):
    own = floor_of(path.parts[0].removesuffix(".py"))
    for name in all_imports(path):
        if name.startswith("vidmodel_tf."):
            other = name.removeprefix("vidmodel_tf.")
            assert floor_of(other) <= own, f"{path} imports {name}, which stands above it"
            if floor_of(other) == own and path.parts[0] != "__init__.py":
                assert len(path.parts) > 1 or own == 0, f"{path} imports {name} of its own floor"


@pytest.mark.parametrize("path", [path for path in modules() if str(path).startswith(WITHOUT_TENSORFLOW)], ids=str)
def test_these_modules_do_not_name_tensorflow(path):
    assert not [name for name in imports_at_the_top(path) if name.split(".")[0].startswith("tensorflow")]


def test_public_names_are_there():
    for name in vidmodel_tf.__all__:
        assert getattr(vidmodel_tf, name) is not None
    assert sorted(vidmodel_tf.__all__) == vidmodel_tf.__all__


def test_unknown_name():
    with pytest.raises(AttributeError, match="No vidmodel_tf attribute no_such_name"):
        _ = vidmodel_tf.no_such_name


@pytest.mark.parametrize("statement", ["import vidmodel_tf", "from vidmodel_tf.cli import main; main(['--help'])"])
def test_light_to_import(statement):
    script = f"""
import sys
try:
    {statement}
except SystemExit:
    pass
heavy = {{"tensorflow", "keras", "numpy", "cv2", "nltk", "sklearn", "matplotlib", "rich"}}
print("HEAVY", sorted(heavy & set(sys.modules)))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "HEAVY []" in result.stdout
