"""The shape of the code, checked on its text: who may import whom, and what an import may not do."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "ds_pipeline"
TESTS = ROOT / "ds_pipeline_tests"
FILES = sorted(path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*.py"))
# From the bottom to the top: a stage imports only stages of earlier rows, and none of its own row.
ORDER = (
    ("errors", "progress", "figures", "markdown"),
    ("digests", "templates"),
    ("sql", "clock", "lineage"),
    ("cluster",),
    ("use_case", "engine"),
    ("masking", "ingestion", "model", "store", "project"),
    ("registry", "simulation"),
    ("evaluation", "workbench"),
    ("boundary",),
    ("features", "starter", "documents"),
    ("training", "scoring"),
    ("erasure", "check"),
    ("monitoring",),
    ("promotion",),
    ("explore", "defs"),
    ("definitions", "cli"),
)  # fmt: skip
RANK = {stage: number for number, row in enumerate(ORDER) for stage in row}
# What reads a file, the environment or the clock, as far as it can be seen by name.
READS = frozenset(
    {"open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "exists", "is_file", "is_dir", "iterdir",
     "glob", "rglob", "stat", "resolve", "cwd", "home", "getenv", "environ", "read_parquet", "read_csv", "read_table",
     "now", "today", "utcnow", "time", "time_ns", "monotonic", "perf_counter", "getcwd", "listdir", "mkdtemp",
     "TemporaryDirectory", "connect", "load_use_case", "input", "run", "Popen", "fetchall"}
)  # fmt: skip
HARMLESS = frozenset({"time"})  # midnight, from datetime; what reads the clock is time.time
LONGEST_ASSET = 15  # lines: it opens, calls the step, says and returns
# Every module has its test file in the same tree, but for these.
RECORDS = "only records, nothing runs"
PICTURES = "pictures, looked at through test_gallery"
WIRING = "Dagster wiring, run by journeys/test_dagster.py"
UNTESTED = {
    "ds_pipeline/definitions.py": WIRING,
    "ds_pipeline/defs/schedules.py": WIRING,
    "ds_pipeline/defs/assets/features.py": WIRING,
    "ds_pipeline/defs/assets/registry.py": WIRING,
    "ds_pipeline/defs/assets/scoring.py": WIRING,
    "ds_pipeline/defs/assets/training.py": WIRING,
    "ds_pipeline/errors.py": RECORDS,
    "ds_pipeline/evaluation/checks/findings.py": RECORDS,
    "ds_pipeline/evaluation/report/curve_pictures.py": PICTURES,
    "ds_pipeline/evaluation/report/dot_pictures.py": PICTURES,
    "ds_pipeline/evaluation/report/pictures.py": PICTURES,
}
# Where people and Dagster come in: they may use every stage and defs/.
ENTRANCES = ("definitions", "cli")


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), filename=file)


def imports(file: str) -> set[str]:
    """The modules a file imports, wherever in it, as dotted names; from x import y counts as x and as x.y."""
    found: set[str] = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = file.removesuffix(".py").split("/")
            base = ".".join([*package[: len(package) - node.level], *([node.module] if node.module else [])])
            module = base if node.level else node.module or ""
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def stage_of(module: str) -> str | None:
    """The room of a module of this package, given as ds_pipeline/room/x.py or as ds_pipeline.room.x."""
    package, _, rest = module.removesuffix(".py").replace("/", ".").partition(".")
    return rest.split(".")[0] or None if package == "ds_pipeline" else None


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that are evaluated when a module is imported: all but the bodies of functions and lambdas."""
    yield node
    for name, value in ast.iter_fields(node):
        is_later = name == "body" and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        test = ast.dump(node.test) if name == "body" and isinstance(node, ast.If) else ""
        if is_later or "__main__" in test or "TYPE_CHECKING" in test or name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from run_at_import(child)


def called_at_import(file: str) -> set[str]:
    """The names that are called when a module is imported, such as Path.cwd, and os.environ."""
    return calls(tree(file)) - HARMLESS


def calls(module: ast.Module) -> set[str]:
    found = set()
    for node in run_at_import(module):
        if isinstance(node, ast.Call):
            found.add(ast.unparse(node.func))
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "os.environ":
            found.add("os.environ")
    return found


def wrong(files: Iterable[str], find: Callable[[str], Iterable[str]]) -> dict[str, list[str]]:
    """What is wrong in each file, for the files in which something is."""
    return {file: bad for file in files if (bad := sorted(find(file)))}


def later(file: str, names: Iterable[str]) -> list[str]:
    """The stages that a file may not import: those that do not come before its own."""
    own = stage_of(file)
    rooms = {stage for name in names if (stage := stage_of(name)) not in (None, own)}
    return sorted(f"{own} imports {room}" for room in rooms if RANK[room] >= RANK[own])


def test_the_package_is_found() -> None:
    assert "ds_pipeline/clock.py" in FILES
    assert {stage_of(file) for file in FILES} >= {"ingestion", "masking", "evaluation"}


def test_every_room_has_its_place_in_the_order() -> None:
    assert {stage_of(file) for file in FILES} - {"__init__"} == set(RANK)


def test_a_stage_imports_only_stages_before_it() -> None:
    assert not wrong([file for file in FILES if stage_of(file) in RANK], lambda file: later(file, imports(file)))


@pytest.mark.parametrize(
    ("file", "name"),
    [
        pytest.param("ds_pipeline/features/build.py", "ds_pipeline.training.fit", id="a-later-stage"),
        pytest.param("ds_pipeline/scoring/score.py", "ds_pipeline.training.fit", id="a-stage-of-its-own-row"),
        pytest.param("ds_pipeline/clock.py", "ds_pipeline.use_case.load", id="a-loose-module"),
        pytest.param("ds_pipeline/promotion/judge.py", "ds_pipeline.defs.jobs", id="defs"),
    ],
)
def test_an_import_of_a_later_stage_is_seen(file: str, name: str) -> None:
    assert later(file, {name})
    assert not later(file, {"ds_pipeline.errors", "pandas"})


@pytest.mark.parametrize("page", ["docs/architecture.md", "docs/decisions/0009-the-order-of-stages.md"])
def test_the_documents_show_the_order_that_holds(page: str) -> None:
    blocks = re.findall(r"(?:^    .*\n)+", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    (shown,) = [block for block in blocks if "  >  " in block]

    rows = [{stage.strip() for stage in row.split("|")} for row in shown.split(" > ")]

    assert rows == [set(row) for row in reversed(ORDER)]


def test_nothing_is_imported_past_the_order() -> None:
    """An import by a name that is made up at run time, or of what is no part of the package, would not be seen."""

    def past(file: str) -> set[str]:
        named = {ast.unparse(node) for node in ast.walk(tree(file)) if isinstance(node, ast.Name | ast.Attribute)}
        hidden = {name for name in named if name.split(".")[-1] in ("import_module", "__import__", "resolve_name")}
        return hidden | {name for name in imports(file) if name.split(".")[0] in ("tools", "ds_pipeline_tests")}

    assert not wrong(FILES, past)


def test_only_defs_definitions_and_cli_import_dagster() -> None:
    inside = [file for file in FILES if stage_of(file) not in ("defs", *ENTRANCES)]

    assert not wrong(inside, lambda file: [name for name in imports(file) if name.startswith("dagster")])


PARALLEL = re.compile(r"joblib\.(Parallel|delayed|parallel)|concurrent\.futures|multiprocessing|loky|ray\b")
MAY_DIVIDE = (
    "ds_pipeline/engine.py",
    "ds_pipeline/cluster.py",
    "ds_pipeline/model/fresh.py",
)  # the last waits for fresh interpreters


def parallel(file: str) -> list[str]:
    """What a file uses by which work is divided, however it is imported."""
    named = {ast.unparse(node) for node in ast.walk(tree(file)) if isinstance(node, ast.Attribute)}
    return sorted(name for name in imports(file) | named if PARALLEL.match(name))


def test_all_parallel_work_goes_through_the_engine() -> None:
    assert {name.split(".")[0] for name in parallel("ds_pipeline/engine.py")} >= {"joblib"}
    assert not wrong([file for file in FILES if file not in MAY_DIVIDE], parallel)


def test_defs_holds_nothing_that_does_not_need_dagster() -> None:
    inside = [file for file in FILES if stage_of(file) == "defs" and not file.endswith("__init__.py")]

    assert not [file for file in inside if not any(name.startswith("dagster") for name in imports(file))]


def test_importing_a_module_reads_no_file_environment_or_clock() -> None:
    inside = [file for file in FILES if file != "ds_pipeline/definitions.py"]  # it alone reads configs

    assert not wrong(
        inside, lambda file: [name for name in called_at_import(file) if READS & set(name.split(".")[-1:])]
    )


def imported_with(file: str) -> set[str]:
    """The modules that importing a file of the package imports, those of its own modules included."""
    found: set[str] = set()
    waiting = [file]
    while waiting:
        first = {node for node in run_at_import(tree(waiting.pop())) if isinstance(node, ast.Import | ast.ImportFrom)}
        names = {alias.name for node in first if isinstance(node, ast.Import) for alias in node.names}
        for node in first:
            if isinstance(node, ast.ImportFrom):
                names |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
        new = names - found
        found |= new
        waiting += [name.replace(".", "/") + ".py" for name in new if name.replace(".", "/") + ".py" in FILES]
    return found


def test_what_shows_results_does_not_wait_for_what_makes_them() -> None:
    """scikit-learn alone takes as long to import as all the rest of `status`: functions that fit import it."""
    slow = {"sklearn", "scipy", "optuna", "matplotlib", "dagster", "presidio_analyzer", "spacy"}

    found = imported_with("ds_pipeline/cli/status.py")

    assert not slow & {name.split(".")[0] for name in found}
    assert {"pandas", "ds_pipeline.evaluation.checks.shuffled"} <= found
    assert "sklearn.pipeline" in imported_with("ds_pipeline/training/candidate.py")


def test_a_package_holds_one_sentence_and_no_code() -> None:
    packages = [file for file in FILES if file.endswith("__init__.py")]

    assert not wrong(packages, lambda file: [ast.unparse(node) for node in tree(file).body[1:]])


def test_every_module_says_what_belongs_in_it() -> None:
    assert not [file for file in FILES if not ast.get_docstring(tree(file))]


def test_defs_does_not_postpone_annotations() -> None:
    defs = [file for file in FILES if stage_of(file) == "defs"]

    assert not [file for file in defs if "__future__.annotations" in imports(file)]


def is_asset(decorator: ast.expr) -> bool:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(function).endswith("asset")  # dg.asset, dg.multi_asset, and our own weekly_asset


def asset_bodies(module: ast.Module) -> dict[str, int]:
    """The lines of each function that is an asset, from the first statement behind its docstring to the last."""
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assets = [function for function in functions if any(map(is_asset, function.decorator_list))]
    bodies = {asset.name: asset.body[1:] if ast.get_docstring(asset) else asset.body for asset in assets}
    return {name: (body[-1].end_lineno or 0) - body[0].lineno + 1 for name, body in bodies.items() if body}


def test_the_body_of_an_asset_is_short() -> None:
    bodies = {file: asset_bodies(tree(file)) for file in FILES if stage_of(file) == "defs"}

    assert {"features", "candidate", "broken_use_case"} <= {name for found in bodies.values() for name in found}
    assert not wrong(bodies, lambda file: [name for name, lines in bodies[file].items() if lines > LONGEST_ASSET])


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        pytest.param("@dg.asset\ndef a():\n{body}", 20, id="plain"),
        pytest.param("@dg.asset(name='a', deps=[])\ndef a():\n{body}", 20, id="with-arguments"),
        pytest.param("@asset\ndef a():\n    'says'\n{body}", 20, id="a-docstring-does-not-count"),
        pytest.param("@dg.multi_asset(specs=[])\ndef a(context):\n{body}", 20, id="multi-asset"),
        pytest.param("@weekly_asset(use_case, 'a')\ndef a(context):\n{body}", 20, id="weekly-asset"),
        pytest.param(
            "def make():\n    @dg.asset()\n    def a():\n        x = 1\n        y = [\n\n        ]", 4, id="nested"
        ),
        pytest.param("@dg.schedule()\ndef a():\n{body}", None, id="no-asset"),
    ],
)
def test_the_length_of_an_asset_is_seen(code: str, lines: int | None) -> None:
    found = asset_bodies(ast.parse(code.format(body="    x = 1\n" * 20)))

    assert found == ({"a": lines} if lines else {})


def test_nobody_catches_every_exception() -> None:
    def caught(file: str) -> set[str]:
        kinds = [node.type for node in ast.walk(tree(file)) if isinstance(node, ast.ExceptHandler)]
        names = {name.id if isinstance(name, ast.Name) else "" for kind in kinds if kind for name in ast.walk(kind)}
        bare = {"everything"} if None in kinds else set()
        return names & {"Exception", "BaseException"} | bare

    assert not wrong(FILES, caught)


def test_there_is_no_utils_module() -> None:
    assert not [file for file in FILES if Path(file).stem in ("utils", "helpers", "common", "misc")]


def place_of_tests(module: str) -> Path:
    """Where the tests of a module lie: in the tree of the package; those of tools/ below tools/."""
    path = Path(module.removeprefix("ds_pipeline/"))
    return TESTS / path.parent / f"test_{path.name}"


def misplaced(modules: Iterable[str], untested: Mapping[str, str]) -> list[str]:
    """The modules without a test file, those that are listed as such and have one, and those listed that are gone."""
    modules = set(modules)
    missing = [f"{module}: no {place_of_tests(module).relative_to(ROOT)}, and no reason" for module in modules
               if module not in untested and not place_of_tests(module).exists()]  # fmt: skip
    listed = [f"{module}: tested after all" for module in untested if place_of_tests(module).exists()]
    gone = [f"{module}: there is no such module" for module in untested if module not in modules]
    return sorted([*missing, *listed, *gone])


def test_every_module_has_its_test_file_or_a_reason() -> None:
    modules = [*FILES, *(path.relative_to(ROOT).as_posix() for path in (ROOT / "tools").rglob("*.py"))]

    assert misplaced([module for module in modules if not module.endswith("__init__.py")], UNTESTED) == []


@pytest.mark.parametrize(
    ("module", "untested", "said"),
    [
        pytest.param("ds_pipeline/clock.py", {}, [], id="tested"),
        pytest.param("ds_pipeline/errors.py", {"ds_pipeline/errors.py": RECORDS}, [], id="listed"),
        pytest.param("ds_pipeline/errors.py", {}, ["ds_pipeline/errors.py: no ds_pipeline_tests/test_errors.py, and no "
                     "reason"], id="neither"),
        pytest.param("ds_pipeline/clock.py", {"ds_pipeline/clock.py": RECORDS}, ["ds_pipeline/clock.py: tested after "
                     "all"], id="both"),
        pytest.param("ds_pipeline/clock.py", {"ds_pipeline/lost.py": WIRING}, ["ds_pipeline/lost.py: there is no such "
                     "module"], id="gone"),
        pytest.param("tools/ner/lost.py", {}, ["tools/ner/lost.py: no ds_pipeline_tests/tools/ner/test_lost.py, and no "
                     "reason"], id="a-tool"),
    ],
)  # fmt: skip
def test_a_module_without_its_test_file_is_seen(module: str, untested: dict[str, str], said: list[str]) -> None:
    assert misplaced([module], untested) == said


def test_tests_have_no_packages() -> None:
    assert not list(TESTS.rglob("__init__.py"))


@pytest.mark.parametrize(
    ("code", "called"),
    [
        pytest.param("import os\nHOME = os.environ['HOME']", {"os.environ"}, id="environment"),
        pytest.param("NOW = datetime.now()", {"datetime.now"}, id="clock"),
        pytest.param("class A:\n    x = open('f')", {"open"}, id="class-body"),
        pytest.param("def f(x=Path('f').read_text()): pass", {"Path('f').read_text", "Path"}, id="default-argument"),
        pytest.param("@run()\ndef f(): pass", {"run"}, id="decorator"),
        pytest.param("def f():\n    open('f')", set(), id="body-of-a-function"),
        pytest.param("f = lambda: open('f')", set(), id="body-of-a-lambda"),
        pytest.param("if __name__ == '__main__':\n    open('f')", set(), id="main"),
        pytest.param("if TYPE_CHECKING:\n    open('f')", set(), id="for-types-alone"),
        pytest.param("x: Annotated[int, open('f')]", set(), id="annotation"),
    ],
)
def test_what_runs_at_import_is_told_from_what_runs_later(code: str, called: set[str]) -> None:
    assert calls(ast.parse(code)) == called
