"""The rules that hold the code together: which way imports run, what is public, what is never written."""

from __future__ import annotations

import ast
import collections
import dataclasses
import functools
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from huilian.adapters import REJECTIONS
from huilian.county import service
from huilian.county.members import directory
from huilian.county.messages import dead_letters
from huilian.county.submissions.kinds import Kind
from huilian.county.submissions.queries import QUERIES
from huilian.wire import access, catalogue, submission_kinds
from huilian.wire.envelope import Draft, Message

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGES = ("huilian", "schemas", "adapters", "services", "contracts")
MODULES_AT_MOST = 17
"""In one package, its face included."""
LINES_AT_MOST = 600
"""Of one module; a longer one does more than one thing."""

# Where a float measures time, or the chances of a made-up county, whose figures its own tests hold to the fen.
FLOATS_MEASURE_TIME = (
    "huilian/cli/",
    "huilian/institution/edge/",
    "huilian/institution/sync.py",
    "huilian/hosts/",
    "huilian/http/",
    "huilian/institution/transports/",
    "huilian/database/embedded_server.py",
    "huilian/county/office.py",
    "huilian/core/retry.py",
    "huilian/county/messages/relay.py",
    "adapters/sample_county/",
)
FLOATS_ARE_CONVERTED = ("huilian/http/metrics.py", "services/registry/gauges.py")  # Prometheus counts in floats
NAMED_FOR_TIME_OR_SIZE = re.compile(r"\b(seconds|pause|timeout|SECONDS|MARGIN|GROWTH)\b|_SECONDS\b")


@functools.cache
def modules() -> dict[str, ast.Module]:
    """Return the syntax tree of every module by its path, each node knowing the one it stands in."""
    trees = {}
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for parent in ast.walk(tree):
            for child in ast.iter_child_nodes(parent):
                child.__dict__["parent"] = parent
        trees[path.relative_to(ROOT).as_posix()] = tree
    return trees


def nodes() -> Iterator[tuple[str, ast.AST]]:
    """Yield every node of every module with the module's path."""
    for path, tree in modules().items():
        for node in ast.walk(tree):
            yield path, node


def around(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a node stands in, from inside to outside."""
    while "parent" in node.__dict__:
        node = node.__dict__["parent"]
        yield node


def place(path: str, node: ast.AST) -> str:
    """Return where a node stands and its first line."""
    return f"{path}:{getattr(node, 'lineno', 0)} {ast.unparse(node).splitlines()[0]}"


def test_imports_run_one_way():
    """The contracts in pyproject.toml hold: kernel below schemas below adapters and services, apart from each other."""
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-P", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"Contracts: [1-9][0-9]* kept, 0 broken", done.stdout)


def test_the_top_level_and_the_six_packages_are_the_chosen_ones():
    """What was agreed on when the project began: where a stranger finds things, and what it stands on."""
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    folders = {path.split("/")[0] for path in listed if "/" in path and not path.startswith(".")}
    chosen = {"services", "adapters", "schemas", "contracts", "tests"}
    assert folders == chosen | {"huilian", "docs", "bench", "examples"}
    assert {"docker-compose.yml", "pyproject.toml", "README.md"} <= set(listed)
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needed = [*stated["project"]["dependencies"], *stated["dependency-groups"]["dev"]]
    names = {re.match(r"[a-z0-9-]+", each)[0] for each in needed}
    assert {"nameko", "pika", "marshmallow", "cryptography", "structlog", "pytest"} <= names


def test_no_package_is_a_heap():
    """A reader takes in some fifteen names at a time."""
    counts = collections.Counter(path.rsplit("/", 1)[0] for path in modules() if path.startswith("huilian/"))
    assert {folder: count for folder, count in counts.items() if count > MODULES_AT_MOST} == {}


def test_a_module_is_small_enough_to_be_read():
    """As long as one idea needs: 600 lines at most."""
    lengths = {path: len((ROOT / path).read_text("utf-8").splitlines()) for path in modules()}
    assert {path: lines for path, lines in lengths.items() if lines > LINES_AT_MOST} == {}


def test_everything_public_has_a_docstring():
    """Modules, classes, functions and methods; what a function holds inside is its own affair."""
    bare = [path for path, tree in modules().items() if tree.body and not ast.get_docstring(tree)]
    for path, node in nodes():
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            # Arguments of __init__ stand in the class docstring.
            hidden = [node, *(outer for outer in around(node) if isinstance(outer, ast.ClassDef))]
            private = any(each.name.startswith("_") for each in hidden)
            inside = any(isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef) for outer in around(node))
            overload = any("overload" in ast.unparse(decorator) for decorator in node.decorator_list)
            if not (private or inside or overload or ast.get_docstring(node)):
                bare.append(place(path, node))
    assert bare == []


def test_what_a_module_says_it_offers_is_there():
    """`__all__` names what exists, each once; nothing in it is private."""
    wrong = []
    for path, tree in modules().items():
        stated = _stated(tree)
        # eventlet patches the interpreter it is imported into: of that module the names are looked up in the source.
        if path == "huilian/hosts/distributed.py":
            there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        elif stated:
            there = set(
                dir(importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")))
            )
        wrong += [f"{path}: {name}" for name in stated if name not in there or name.startswith("_")]
        wrong += [f"{path}: twice" for _ in range(len(stated) - len(set(stated)))]
    assert wrong == []


def _stated(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return []


def test_the_time_is_handed_in():
    """Only the clock asks the machine what day it is."""
    asked = re.compile(r"(^|\.)(datetime|date)\.(now|utcnow|today|fromtimestamp)$")
    found = [
        place(path, node)
        for path, node in nodes()
        if path != "huilian/core/clock.py" and isinstance(node, ast.Call) and asked.search(ast.unparse(node.func))
    ]
    assert found == []


def test_no_float_comes_near_money():
    """Amounts are decimals from the file to the figure; a float elsewhere is named for seconds or sizes."""
    found = []
    for path, node in nodes():
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        if literal and not path.startswith(FLOATS_MEASURE_TIME) and not _measures_something_else(node):
            found.append(place(path, node))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "float" and path not in FLOATS_ARE_CONVERTED:
            found.append(place(path, node))
        if isinstance(node, ast.Attribute) and node.attr in {"Float64", "Float32"}:
            found.append(place(path, node))
    assert found == []


def _measures_something_else(node: ast.AST) -> bool:
    statement = next(outer for outer in around(node) if isinstance(outer, ast.stmt))
    return NAMED_FOR_TIME_OR_SIZE.search(ast.unparse(statement).splitlines()[0]) is not None


def test_nothing_is_left_to_do():
    """What is not done is not promised in the code either."""
    marks = re.compile(rf"\b({'TO'}{'DO'}|{'FIX'}{'ME'}|{'XX'}{'X'}|{'HA'}{'CK'})\b")
    assert [path for path in modules() if marks.search((ROOT / path).read_text("utf-8"))] == []


def test_the_kernel_is_imported_without_the_distributed_host():
    """Only the distributed host's own process is patched by eventlet."""
    names = [path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in modules()]
    kernel = [
        name for name in names if name.startswith("huilian") and not re.search("migrations|distributed|__main__", name)
    ]
    command = f"import {', '.join(kernel)}; import sys; print({{'eventlet', 'nameko', 'kombu'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-P", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("set()\n", 0), done.stderr


def test_the_kernel_writes_nothing_with_a_mode_that_the_umask_decides():
    """Files and folders are made by `huilian.core.files`, or their mode stands where they are made."""
    aside = (
        "huilian/conformance/",
        "huilian/http/publish.py",
        "huilian/policy/workbench/publish.py",
        "huilian/core/files.py",
    )
    found = []
    for path, node in nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and path.startswith("huilian/"):
            stated = {keyword.arg for keyword in node.keywords}
            modes = [each.value for each in node.args[:1] if isinstance(each, ast.Constant)]
            writes = node.func.attr == "open" and modes and re.match("[wax]", str(modes[0])) is not None
            makes = node.func.attr in {"mkdir", "touch"} and "mode" not in stated
            if (writes or makes or node.func.attr in {"write_text", "write_bytes"}) and not path.startswith(aside):
                found.append(place(path, node))
    assert found == []


def test_no_child_process_runs_what_lies_in_the_folder_it_is_started_from():
    """A Python that is started with -m or -c puts that folder first on its path; -P and -I keep it off."""
    files = [path for folder in (*PACKAGES, "bench", "tests") for path in sorted((ROOT / folder).rglob("*.py"))]
    unsafe = [
        place(path.relative_to(ROOT).as_posix(), node)
        for path in files
        if "sys.executable" in (text := path.read_text("utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.List)
        and [ast.unparse(each) for each in node.elts[:1]] == ["sys.executable"]
        and [ast.unparse(each) for each in node.elts[1:2]] not in (["'-P'"], ["'-I'"])
    ]
    assert unsafe == []


def test_adapters_in_folders_are_never_forgotten():
    """Whoever looks for an adapter by its name says where the data directory keeps those that are not installed."""
    asked = {"find": 2, "known": 1, "settings_for": 4}
    outside = "huilian/conformance/suite.py"  # hands its settings over itself, and reads no data directory
    calls = [
        (path, node)
        for path, node in nodes()
        if path.startswith("huilian/")
        and path != outside
        and isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) in {"loading", "all_adapters"}
        and node.func.attr in asked
    ]
    assert len(calls) > len(asked)
    short = [place(path, node) for path, node in calls if len(node.args) + len(node.keywords) < asked[node.func.attr]]
    assert short == []


def test_the_kernel_names_no_service_and_no_query_of_one():
    """What a service declares is all that the kernel knows of it: a new one touches no file here.

    A policy's section may be called as the service that goes by it.
    """
    names = set(service.installed())
    for each in service.installed().values():
        names |= {query.address for query in each.queries} | {query.answer.__name__ for query in each.queries}
    named = [found for found in _named_in_the_kernel(names) if not found.startswith(_OF_POLICIES)]
    assert named == []


_OF_POLICIES = ("huilian/policy/", "huilian/cli/policy/")


def test_the_kernel_names_no_kind_of_submission():
    """Nor the type of the records by which one is told by its differences."""
    kinds = submission_kinds.installed()
    assert set(kinds) >= {"roster", "loan_ledger"}
    assert _named_in_the_kernel(set(kinds) | {kind.gone for kind in kinds.values() if kind.gone}) == []


_SPEAK_OF_FACTS = ("huilian/policy/", "huilian/cli/policy/")


def test_the_kernel_names_no_field_of_a_record():
    """Policies speak of households and loans in a closed list of facts of their own."""
    types = {name for kind in submission_kinds.installed().values() for name in kind.records}
    contracts = catalogue.installed().contracts.values()
    fields = {field for each in contracts if each.type in types for field in each.schema().fields}
    fields -= _kernels_own_words()
    assert fields >= {"loan_no", "household_no", "balance", "borrower_name", "premium"}
    assert [found for found in _named_in_the_kernel(fields) if not found.startswith(_SPEAK_OF_FACTS)] == []


def _kernels_own_words() -> set[str]:
    """Return the fields of what the kernel itself takes, keeps and answers; some records have such fields, too."""
    of_services = {name for each in service.installed().values() for name in each.records}
    known = catalogue.installed().contracts.values()
    single = [each for each in known if not each.bulk and each.type not in of_services]
    words = {field for each in single for field in each.schema().fields} | set(REJECTIONS)
    words |= {field for query in QUERIES for field in query.row().fields}
    # In any record `person` is whoever took the step, and `date` when: see `huilian.county.procedure.acts`. A policy
    # has products, a token a purpose and a scope, what is pushed goes a way, XML is a document.
    words |= set(access.KINDS) | {"person", "date", "product", "purpose", "scope", "way", "document"}
    kept = (directory.Member, dead_letters.DeadLetter, Draft, Kind, Message)
    return words | {field.name for each in kept for field in dataclasses.fields(each)}


def _named_in_the_kernel(names: set[str]) -> list[str]:
    return [
        place(path, node)
        for path, node in nodes()
        if path.startswith("huilian/") and isinstance(node, ast.Constant) and node.value in names
    ]
