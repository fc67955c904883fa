"""Adapters in folders: found beside the installed ones, loaded from their own place, and named when they are broken."""

from __future__ import annotations

import shutil
import sys
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

import pytest

from huilian import conformance
from huilian.adapters import loading
from huilian.adapters.loading import AdapterFolder
from huilian.adapters.scaffold import scaffold
from huilian.cli import doctor
from huilian.core.errors import ConfigurationError
from huilian.settings import Home
from huilian.wire import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "river_bank"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Return a data directory with an empty folder of adapters; what is imported from it is forgotten afterwards."""
    path, modules = list(sys.path), set(sys.modules)
    made = Home(tmp_path / "home", {})
    made.adapters.mkdir(parents=True, mode=0o755)
    yield made
    assert sys.path == path
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def project(home: Home, name: str = NAME) -> Path:
    """Write what `huilian adapter new` writes into the folder of adapters."""
    scaffold(name, home.adapters)
    return home.adapters / name


def package(home: Home, name: str = NAME) -> Path:
    """Write the package alone, without the project around it."""
    scaffold(name, home.folder)
    shutil.copytree(home.folder / name / name, home.adapters / name)
    shutil.rmtree(home.folder / name)
    return home.adapters / name


def refused(home: Home, name: str = NAME) -> str:
    """Return why an adapter cannot be had."""
    with pytest.raises(ConfigurationError) as error:
        loading.find(name, home.adapters)
    return str(error.value)


@pytest.mark.parametrize("make", [project, package])
def test_a_folder_is_an_adapter(home: Home, make: type):
    """The project that the scaffold writes, and the package by itself; each under its own name from its own place."""
    folder = make(home)
    assert loading.known(home.adapters) == dict(sorted({**loading.installed(), NAME: str(folder)}.items()))
    found = loading.find(NAME, home.adapters)
    assert (found.name, found.version) == (NAME, "0.1")
    assert type(found).__module__ == "river_bank.exchange"
    file = sys.modules["river_bank.exchange"].__file__
    assert file is not None
    assert file.startswith(str(folder))
    # Asked for again it is the same, not another copy.
    assert loading.find(NAME, home.adapters) is found
    assert loading.settings_for(found, "341599", {NAME: {"utf_8": True}}, home.adapters).values == {"utf_8": True}


def test_a_package_may_lie_below_src(home: Home):
    """As many projects have it."""
    folder = project(home)
    (folder / "src").mkdir()
    (folder / NAME).rename(folder / "src" / NAME)
    assert loading.find(NAME, home.adapters).name == NAME


def test_tables_of_other_adapters_in_folders_are_known(home: Home):
    """A setting of one is none of the other's business; one of nobody's is still refused."""
    project(home)
    found = loading.find("rural_commercial_bank", home.adapters)
    tables: dict[str, dict[str, object]] = {NAME: {"utf_8": True}}
    assert loading.settings_for(found, "341599", tables, home.adapters).county == "341599"
    with pytest.raises(ConfigurationError, match=r"HL6012 \[adapters.river_bank\]"):
        loading.settings_for(found, "341599", tables)


def test_what_is_no_folder_of_an_adapter_is_passed_over(home: Home):
    """Files, hidden folders and what Python leaves behind."""
    (home.adapters / "README.txt").write_text("x", "utf-8")
    for name in (".git", "__pycache__"):
        (home.adapters / name).mkdir()
    assert loading.known(home.adapters) == loading.installed()
    assert loading.known(home.folder / "none") == loading.installed()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({}, "folder is wrong: {folder} has neither pyproject.toml nor __init__.py"),
        ({"pyproject.toml": "[project"}, "pyproject.toml is wrong: {folder}/pyproject.toml cannot be read: "),
        ({"pyproject.toml": "project = 1"}, "pyproject.toml is wrong: {folder}/pyproject.toml cannot be read: "),
        (
            {"pyproject.toml": "[project]\nname = 'x'"},
            "entry point is wrong: {folder}/pyproject.toml must have one entry point in huilian.adapters, it has none",
        ),
        (
            {"pyproject.toml": "[project.entry-points.'huilian.adapters']\na = 'a:a'\nb = 'b:b'"},
            "entry point is wrong: {folder}/pyproject.toml must have one entry point in huilian.adapters, it has a, b",
        ),
        (
            {"pyproject.toml": "[project.entry-points.'huilian.adapters']\nriver_bank = 'what is this'"},
            "entry point is wrong: {folder}/pyproject.toml states 'what is this': write it as river_bank:adapter",
        ),
        (
            {"pyproject.toml": "[project.entry-points.'huilian.adapters']\nriver_bank = 'river_bank:adapter'"},
            "entry point is wrong: is river_bank:adapter, but {folder} has no river_bank/__init__.py",
        ),
        (
            {
                "pyproject.toml": "[project.entry-points.'huilian.adapters']\nhill_bank = 'hill_bank:adapter'",
                "hill_bank/__init__.py": "",
            },
            "entry point is wrong: is hill_bank in {folder}/pyproject.toml, the folder is river_bank",
        ),
        (
            {"__init__.py": "import a_package_that_is_not_there"},
            "entry point is wrong: river_bank:adapter in {folder} cannot be imported: ModuleNotFoundError: ",
        ),
        ({"__init__.py": "raise SystemExit(3)"}, "{folder} cannot be imported: SystemExit: 3"),
        ({"__init__.py": "def ("}, "{folder} cannot be imported: SyntaxError: "),
        ({"__init__.py": ""}, "entry point is wrong: river_bank:adapter cannot be imported: AttributeError: "),
        ({"__init__.py": "adapter = 1"}, "entry point is wrong: must be an instance of Adapter"),
    ],
)
def test_a_broken_folder_is_named_with_the_hook_and_what_is_wrong(home: Home, content: dict[str, str], what: str):
    """And stops no other: it is known, and only who asks for it is told."""
    folder = home.adapters / NAME
    folder.mkdir()
    for name, text in content.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    told = refused(home)
    assert told.startswith(f"HL6005 adapter {NAME}: ")
    assert what.format(folder=folder) in told
    assert loading.find("rural_commercial_bank", home.adapters).name == "rural_commercial_bank"
    assert NAME in loading.known(home.adapters)


def test_once_mended_it_is_there(home: Home):
    """What could not be imported is not kept half imported."""
    layout = project(home) / NAME / "layout.py"
    sound = layout.read_text("utf-8")
    layout.write_text("import a_package_that_is_not_there\n", "utf-8")
    assert "a_package_that_is_not_there" in refused(home)
    assert not [name for name in sys.modules if name.startswith(NAME)]
    layout.write_text(sound, "utf-8")
    assert loading.find(NAME, home.adapters).name == NAME


def test_a_hook_that_fails_when_it_is_looked_at_is_an_error_of_configuration(home: Home):
    """A stranger may return what nobody expects: that, too, is told and stops nobody."""
    exchange = project(home) / NAME / "exchange.py"
    text = exchange.read_text("utf-8")
    exchange.write_text(text.replace('FileIdentity(found["owner"], _KIND, as_of)', "str(as_of)"), "utf-8")
    wanted = "registration is wrong: cannot be looked at: AttributeError: 'str' object has no attribute 'kind'"
    assert refused(home) == f"HL6005 adapter {NAME}: {wanted}"


def test_the_name_of_an_installed_adapter_is_refused_with_both_places(home: Home):
    """Neither is guessed at; the others go on."""
    folder = home.adapters / "insurer"
    folder.mkdir()
    (folder / "__init__.py").write_text("adapter = None", "utf-8")
    told = refused(home, "insurer")
    assert told.startswith(f"HL6015 the name insurer stands for two: the folder {folder} and, installed, ")
    assert "adapters.insurer:adapter (" in told
    assert "adapters/insurer/__init__.py)" in told
    assert loading.find("county_roster", home.adapters).name == "county_roster"
    assert loading.find("insurer").name == "insurer"


def test_no_folder_hides_a_package_of_its_name(home: Home):
    """Python's own, or one that is installed; both places are named."""
    folder = home.adapters / "json"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise AssertionError", "utf-8")
    told = refused(home, "json")
    assert told.startswith(f"HL6015 the name json stands for two: the folder {folder} and, installed, ")
    assert "json/__init__.py; neither is used" in told


def test_two_folders_of_one_name_are_not_mixed(home: Home, tmp_path: Path):
    """What was imported from one place is never taken for the other."""
    project(home)
    scaffold(NAME, tmp_path)
    loading.find(NAME, home.adapters)
    with pytest.raises(ConfigurationError, match="HL6015") as refusal:
        loading.in_folder(tmp_path / NAME).loaded()
    assert str(tmp_path / NAME) in str(refusal.value)
    assert str(home.adapters / NAME / NAME / "__init__.py") in str(refusal.value)


def test_a_folder_that_is_installed_by_a_link_is_no_clash(home: Home, monkeypatch: pytest.MonkeyPatch):
    """After `pip install --editable` the name stands for one place, though it is found twice."""
    folder = project(home)
    monkeypatch.syspath_prepend(folder)
    point = EntryPoint(NAME, f"{NAME}:adapter", loading.GROUP)
    monkeypatch.setattr(loading, "entry_points", lambda **_: [point])
    assert loading.find(NAME, home.adapters).name == NAME
    monkeypatch.undo()


def test_a_folder_called_otherwise_may_be_named(tmp_path: Path, home: Home):
    """Where a folder is named to be checked, its project says what the adapter is called."""
    scaffold("hill_bank", tmp_path)
    folder = (tmp_path / "hill_bank").rename(tmp_path / "my-checkout")
    found = loading.in_folder(folder)
    assert found == AdapterFolder(folder, "hill_bank", "hill_bank:adapter", folder / "hill_bank")
    assert loading.check(found.loaded(), found.name).name == "hill_bank"
    with pytest.raises(ConfigurationError, match="HL6005 adapter river-bank: folder is wrong"):
        AdapterFolder.at(package(home).rename(home.adapters / "river-bank"))


@pytest.mark.conformance
@pytest.mark.parametrize("make", [project, package])
def test_the_worker_of_the_suite_finds_it_too(home: Home, make: type):
    """In a process of its own, in which nothing of that name is installed."""
    folder = make(home)
    found = loading.in_folder(folder, NAME)
    adapter = loading.check(found.loaded(), NAME)
    rules = [rule for rule in conformance.RULES if rule.name in {"registration", "samples", "repeatable"}]
    report = conformance.examine(adapter, found.value, catalogue.installed(), lies_in=folder, rules=rules)
    assert {result.rule: (result.status, result.findings) for result in report.results} == {
        rule.name: ("done", ()) for rule in rules
    }


def refusal(home: Home) -> str:
    """Return the error with which the adapter is refused."""
    with pytest.raises(ConfigurationError) as refused:
        loading.find(NAME, home.adapters)
    return str(refused.value)


def test_an_adapter_that_others_may_change_is_not_run(home: Home):
    """Be it a file in it, its folder, or the data directory, which could be given another; and each is told."""
    folder = project(home)
    for path in (home.folder, home.adapters, *home.adapters.rglob("*")):
        path.chmod(0o755)
    layout, package = folder / NAME / "layout.py", folder / NAME
    layout.chmod(0o664)
    package.chmod(0o757)
    told = "so it is not used; look through it, then run chmod"
    assert refusal(home) == f"HL6020 others may write to {package} (mode 0757), {told} -R go-w {folder}/"
    home.folder.chmod(0o775)
    assert refusal(home) == f"HL6020 others may write to {home.folder} (mode 0775), {told} go-w {home.folder}"
    assert NAME not in sys.modules
    found = [fault.facts["path"] for fault in doctor.open_to_others(home)]
    assert found == [home.folder, package, layout]
    [sound] = doctor.examine_adapters(home)
    assert (sound.status, NAME in sound.what) == ("ok", False)
    for path in (home.folder, package, layout):
        path.chmod(0o755)
    assert loading.find(NAME, home.adapters).name == NAME


def test_a_linked_folder_is_looked_into(home: Home, tmp_path: Path):
    """It is run like any other; links further in, which may lead round in circles, are not followed."""
    scaffold(NAME, tmp_path)
    elsewhere = tmp_path / NAME
    (home.adapters / NAME).symlink_to(elsewhere)
    (elsewhere / "circle").symlink_to(elsewhere)
    layout = elsewhere / NAME / "layout.py"
    layout.chmod(0o666)
    assert refusal(home).startswith(
        f"HL6020 others may write to {home.adapters / NAME / NAME / 'layout.py'} (mode 0666)"
    )
    layout.chmod(0o644)
    assert loading.find(NAME, home.adapters).name == NAME


def test_the_doctor_names_every_broken_one(home: Home):
    """With where it lies; the sound ones are named beside."""
    for name in ("hill_bank", "river_bank"):
        (home.adapters / name).mkdir(mode=0o755)
    findings = list(doctor.examine_adapters(home))
    assert [(finding.status, finding.what[:6]) for finding in findings[:2]] == [("fail", "HL6005")] * 2
    assert findings[0].remedy == f"修好、移走或卸载它 (mend, move or uninstall it): {home.adapters / 'hill_bank'}"
    assert (findings[2].status, findings[2].what) == ("ok", ", ".join(loading.installed()))
