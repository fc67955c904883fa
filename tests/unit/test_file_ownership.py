"""What somebody else may change is not believed: neither settings nor keys, nor a data directory they may swap."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from huilian.cli import doctor
from huilian.core.errors import ConfigurationError
from huilian.institution import membership
from huilian.institution.edge import settings as edge_settings
from huilian.institution.edge.folders import Folders
from huilian.institution.edge.settings import EdgeSettings
from huilian.institution.spool import Spool
from huilian.settings import Home, Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BANK = "RCB01"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to another account")
NOBODY = 65534


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A data directory that is an office's and an edge's, with a key, a trusted key and a membership."""
    made = Home(tmp_path / "home", {})
    made.create(Settings("341599", "anhui"))
    made.trust("HUILIAN", made.keys.create(BANK).public)
    made.keys.prepare(BANK)
    (made.folder / "memberships").mkdir(mode=0o700)
    (made.folder / "memberships" / f"{BANK}.json").write_text("{}")
    (tmp_path / "ca.pem").write_text("certificates")
    settings = EdgeSettings(BANK, "rural_commercial_bank", "341599", ca_file=str(tmp_path / "ca.pem"))
    edge_settings.save(made, settings)
    Folders(made.folder).make()
    return made


def refusal(act: Callable[[], object]) -> str:
    """Return the code and what it is about."""
    with pytest.raises(ConfigurationError) as refused:
        act()
    return f"{refused.value.code} {refused.value.facts['path']} {refused.value.facts['remedy']}"


READERS: dict[str, tuple[str, Callable[[Home], object]]] = {
    "settings": ("huilian.toml", lambda home: home.settings()),
    "settings of adapters": ("huilian.toml", lambda home: home.adapter_tables()),
    "spool": ("spool", lambda home: home.settings()),
    "data directory": ("", lambda home: home.settings()),
    "setting up again": ("", lambda home: home.create(Settings("341599", "anhui"))),
    "key": ("keys/RCB01/0001-*.pem", lambda home: home.keys.current(BANK)),
    "folder of a member's keys": ("keys/RCB01", lambda home: home.keys.current(BANK)),
    "folder of keys": ("keys", lambda home: home.keys.current(BANK)),
    "next key": ("keys/RCB01/next.pem", lambda home: home.keys.use_prepared(BANK)),
    "another key": ("keys/RCB01", lambda home: home.keys.create(BANK)),
    "another trusted key": ("trusted", lambda home: home.trust("HUILIAN", home.keys.current(BANK).public)),
    "other settings of the edge": ("", lambda home: edge_settings.save(home, EdgeSettings(BANK, "insurer", "341599"))),
    "trusted key": ("trusted/HUILIAN-*.pem", lambda home: home.trusted_keys("HUILIAN")),
    "folder of trusted keys": ("trusted", lambda home: home.trusted_keys("HUILIAN")),
    "membership": ("memberships/RCB01.json", lambda home: membership.membership_of(home, BANK)),
    "settings of the edge": ("edge.toml", lambda home: edge_settings.load(home, {})),
    "certificates": ("../ca.pem", lambda home: edge_settings.load(home, {})),
    "files underway": ("underway", lambda home: Folders(home.folder).check()),
}


def place(home: Home, pattern: str) -> Path:
    """Return the one path that a pattern means."""
    if pattern.startswith(".."):
        return home.folder.parent / pattern[3:]
    return next(home.folder.glob(pattern)) if pattern else home.folder


@pytest.mark.parametrize("mode", [0o020, 0o002])
@pytest.mark.parametrize("what", READERS)
def test_what_others_may_write_to_is_refused_with_the_command_that_mends_it(home: Home, what: str, mode: int):
    """Group or others alike; mended, it is read again."""
    pattern, read = READERS[what]
    path = place(home, pattern)
    path.chmod(path.stat().st_mode | mode)
    whole = "-R " if path.is_dir() and path != home.folder else ""
    assert refusal(lambda: read(home)) == f"HL6020 {path} chmod {whole}go-w {path}"
    path.chmod(path.stat().st_mode & ~mode)
    if what != "membership":  # there is none in the file
        read(home)


@AS_ROOT
@pytest.mark.parametrize("what", READERS)
def test_what_belongs_to_somebody_else_is_refused(home: Home, what: str):
    """They may change it whenever they like; root's own is fine."""
    pattern, read = READERS[what]
    path = place(home, pattern)
    os.chown(path, NOBODY, -1)
    assert refusal(lambda: read(home)) == f"HL6021 {path} chown root {path}"


def test_a_data_directory_in_a_place_that_is_anybodys_is_refused(tmp_path: Path):
    """They could put another in its place; where only owners may rename, as in /tmp, it is taken."""
    open_to_all = tmp_path / "open to all"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    home = Home(open_to_all / "home", {})
    expected = f"HL6022 {open_to_all} chmod o-w '{open_to_all}'"
    assert refusal(lambda: home.create(Settings("341599", "anhui"))) == expected
    open_to_all.chmod(0o1777)
    home.create(Settings("341599", "anhui"))
    assert home.settings().county == "341599"
    linked = Home(tmp_path / "linked", {})
    linked.folder.symlink_to(home.folder)
    assert linked.settings().county == "341599"
    open_to_all.chmod(0o777)
    assert refusal(linked.settings) == expected


def test_the_doctor_names_all_of_it_at_once(home: Home):
    """Each with its command: what a command meets first is not all there is."""
    wrong = [home.folder, home.file, *(place(home, name) for name in ("keys/RCB01/next.pem", "trusted", "edge.toml"))]
    wrong.append(home.folder / "adapters" / "village_bank")
    wrong[-1].mkdir(parents=True)
    (wrong[-1] / "__init__.py").write_text("raise SystemExit\n")
    for path in wrong:
        path.chmod(path.stat().st_mode | 0o022)
    found = doctor.examine(home)
    assert {finding.name for finding in found} == {"文件权限 (permissions)"}
    assert {finding.status for finding in found} == {"fail"}
    commands = [f"chmod {'-R ' if path.name == 'trusted' else ''}go-w {path}" for path in wrong[:-1]]
    commands.append(f"chmod -R go-w {wrong[-1]}/")
    assert sorted(str(finding.remedy) for finding in found) == sorted(commands)


def test_what_others_may_change_of_a_submission_in_the_spool_is_not_sent(home: Home):
    """The doctor tells of it, with one command for the folder and all in it; of more than one, above them."""
    submissions = [home.spool / name for name in ("one", "another")]
    for folder in submissions:
        folder.mkdir(mode=0o700)
        (folder / "manifest.json").write_text('{"file_name": "x"}')
    assert Spool(home.spool).find("one") is not None
    submissions[0].chmod(0o770)
    assert refusal(lambda: Spool(home.spool).find("one")) == f"HL6020 {submissions[0]} chmod -R go-w {submissions[0]}"
    assert Spool(home.spool).find("another") is not None

    def told() -> list[str | None]:
        return [each.remedy for each in doctor.examine(home) if "不予采用" in each.what]

    assert told() == [f"chmod -R go-w {submissions[0]}"]
    home.spool.chmod(0o770)
    submissions[1].chmod(0o770)
    assert told() == [f"chmod -R go-w {home.spool}"]


def institution(folder: Path) -> Home:
    """Return the data directory of an institution, not an office's."""
    home = Home(folder, {})
    home.trust("HUILIAN", home.keys.create(BANK).public)
    (home.folder / "spool").mkdir(mode=0o700)
    edge_settings.save(home, EdgeSettings(BANK, "rural_commercial_bank", "341599", token="geheim"))  # noqa: S106
    return home


@pytest.mark.parametrize("settings", ["", "[adapters.rural_commercial_bank]\n"])
def test_the_doctor_looks_at_an_institutions_directory_as_well(tmp_path: Path, settings: str):
    """There is no office to be missing; keys and settings that others may read are found."""
    home = institution(tmp_path / "home")
    if settings:
        home.file.write_text(settings)
        home.file.chmod(0o600)
    found = doctor.examine(home)
    assert {finding.status for finding in found} == {"ok"}, found
    for path in (place(home, "keys/RCB01/0001-*.pem"), place(home, "edge.toml")):
        mode = path.stat().st_mode & 0o777
        path.chmod(0o644)
        [failed] = [finding for finding in doctor.examine(home) if finding.status == "fail"]
        assert failed.remedy == f"chmod go-rwx {path}"
        path.chmod(mode)


def test_an_office_that_lost_its_settings_is_no_institutions_directory(home: Home):
    """It says what is missing, in words."""
    home.keys.create("HUILIAN")
    home.file.write_text("")
    [finding] = [each for each in doctor.examine(home) if each.status == "fail"]
    assert "county, policy: 缺少 (missing)" in finding.what
    home.file.unlink()
    assert [each.what[:6] for each in doctor.examine(home) if each.status == "fail"] == ["HL6001"]


@pytest.mark.parametrize(("url", "remedy"), [("", "run any command"), ("postgresql://county", "run init again")])
def test_the_doctor_says_how_tables_are_upgraded(home: Home, monkeypatch: pytest.MonkeyPatch, url: str, remedy: str):
    """Where the server is Huilian's own any command does it."""
    monkeypatch.setattr("huilian.database.schema.is_current", lambda *_: False)
    settings = replace(home.settings(), database_url=url)
    [finding] = doctor._database(home, settings, None)  # type: ignore[arg-type]  # it is not asked
    assert (finding.status, remedy in str(finding.remedy)) == ("fail", True)


def test_a_refusal_says_in_both_languages_what_to_do(home: Home):
    """Which file, how it is, and that it has to be looked through before it is believed again."""
    home.file.chmod(0o662)
    with pytest.raises(ConfigurationError) as refused:
        home.settings()
    assert refused.value.chinese == (
        f"他人可写 {home.file}（权限 0662），不予采用；请核对内容后执行 chmod go-w {home.file}"
    )
    assert str(refused.value) == (
        f"HL6020 others may write to {home.file} (mode 0662), so it is not used;"
        f" look through it, then run chmod go-w {home.file}"
    )
