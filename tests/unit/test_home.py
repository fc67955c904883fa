"""The data directory: set up once, read strictly, private where it has to be."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from huilian.core.errors import ConfigurationError
from huilian.settings import Home, Settings
from huilian.wire.keys import SigningKey

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = Settings("341599", "anhui", database_url="postgresql://u:p@db/huilian", amqp_url="amqps://u:p@mq/huilian")


def home_with(tmp_path: Path, content: str | bytes, environment: dict[str, str] | None = None) -> Home:
    """Return a directory whose settings file has this content."""
    raw = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "huilian.toml").write_bytes(raw)
    return Home(tmp_path, environment or {})


def test_settings_come_back_as_they_were_given(tmp_path: Path):
    """Whatever a password holds, quotes, backslashes and characters beyond the first plane included."""
    home = Home(tmp_path / "office", {})
    settings = Settings("341599", "anhui", "distributed", 'postgresql://u:"\\p𠮷é@db/x', "amqps://mq", "0.0.0.0:80")
    home.create(settings)
    assert home.exists
    assert home.settings() == settings


def test_the_directory_is_private_where_it_has_to_be(tmp_path: Path):
    """Settings hold passwords, the spool holds people."""
    home = Home(tmp_path / "office", {})
    home.create(SETTINGS)
    modes = {path.name: path.stat().st_mode & 0o777 for path in home.folder.iterdir()}
    assert modes == {"huilian.toml": 0o600, "keys": 0o700, "spool": 0o700}


def test_settings_are_utf_8_whatever_the_machine_prefers(tmp_path: Path):
    """A machine set to GBK writes what every other can read."""
    code = (
        "import sys; from pathlib import Path; from huilian.settings import Home, Settings;"
        "Home(Path(sys.argv[1]), {}).create(Settings('341599', 'anhui'));"
        "print(Home(Path(sys.argv[1]), {}).settings().county)"
    )
    environment = os.environ | {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "POSIX"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, tmp_path], env=environment, capture_output=True, check=False
    )
    assert (done.stdout, done.returncode) == (b"341599\n", 0), done.stderr
    assert "惠联" in (tmp_path / "huilian.toml").read_text("utf-8")


def test_setting_up_again_updates_the_settings(tmp_path: Path):
    """The same county may move to another database."""
    home = Home(tmp_path, {})
    home.create(Settings("341599", "anhui"))
    home.create(SETTINGS)
    assert home.settings() == SETTINGS
    assert not (tmp_path / "huilian.new").exists()


TABLES = """
# 担保公司
[adapters.guarantee_company]
telephone = "0564-0000000"  # 值班电话
sealed = true
retries = 3

[adapters.guarantee_company.banks]
"示范农商银行" = "RCB01"
"""
TABLES_READ = {
    "guarantee_company": {
        "telephone": "0564-0000000",
        "sealed": True,
        "retries": 3,
        "banks": {"示范农商银行": "RCB01"},
    }
}


def test_the_adapters_settings_stay_as_they_stand(tmp_path: Path):
    """Setting up again updates the office's own settings, and not a byte of the tables and their comments."""
    home = home_with(tmp_path, 'county = "341599"\npolicy = "anhui"\n' + TABLES)
    assert home.settings().adapters == home.adapter_tables() == TABLES_READ
    for _ in range(2):
        home.create(SETTINGS)
        assert home.file.read_text("utf-8").endswith('policy = "anhui"\n' + TABLES)
        assert home.settings() == replace(SETTINGS, adapters=TABLES_READ)


@pytest.mark.parametrize(
    "root",
    [
        (
            'adapters = {guarantee_company = {telephone = "0564-0000000", sealed = true, retries = 3,'
            ' banks = {"示范农商银行" = "RCB01"}}}'
        ),
        (
            'adapters.guarantee_company.telephone = "0564-0000000"\nadapters.guarantee_company.sealed = true\n'
            'adapters.guarantee_company.retries = 3\nadapters.guarantee_company.banks."示范农商银行" = "RCB01"'
        ),
        'policy = """\nanhui"""\n' + TABLES,
    ],
)
def test_settings_of_adapters_survive_however_they_are_written(tmp_path: Path, root: str):
    """Tables, inline tables and dotted names mean the same."""
    policy = "" if root.startswith("policy") else 'policy = "anhui"\n'
    home = home_with(tmp_path, f'county = "341599"\n{policy}{root}\n')
    home.create(SETTINGS)
    assert home.settings() == replace(SETTINGS, adapters=TABLES_READ)


def test_settings_of_adapters_that_are_given_replace_what_was_there(tmp_path: Path):
    """Whatever their names and texts hold."""
    home = home_with(tmp_path, 'county = "341599"\npolicy = "anhui"\n' + TABLES)
    given = replace(SETTINGS, adapters={"other": {"一": 'say "hi"\\', "table": {"甲 乙": "x"}, "list": ["y", 1]}})
    home.create(given)
    assert home.settings() == given


def test_a_machine_without_an_office_may_have_settings_of_adapters(tmp_path: Path):
    """A guarantee company's own machine knows no policy."""
    assert Home(tmp_path / "none", {}).adapter_tables() == {}
    assert home_with(tmp_path, TABLES).adapter_tables() == TABLES_READ


@pytest.mark.parametrize("content", ['adapters = "x"', "[adapters]\nretries = 3"])
def test_settings_of_adapters_stand_in_tables(tmp_path: Path, content: str):
    """One table an adapter."""
    with pytest.raises(ConfigurationError, match=r"HL6006 .*\[adapters.NAME\]"):
        home_with(tmp_path, content).adapter_tables()


def test_a_directory_belongs_to_one_county(tmp_path: Path):
    """Another county's settings never replace it."""
    home = Home(tmp_path, {})
    home.create(SETTINGS)
    with pytest.raises(ConfigurationError) as refused:
        home.create(Settings("520626", "guizhou"))
    assert str(refused.value) == f"HL6008 {tmp_path} is already set up for county 341599"
    assert home.settings() == SETTINGS


def test_the_environment_has_the_last_word_on_addresses(tmp_path: Path):
    """Passwords need not stand in a file; empty variables say nothing."""
    home = Home(tmp_path, {"HUILIAN_DATABASE_URL": "postgresql://elsewhere/x", "HUILIAN_AMQP_URL": ""})
    home.create(SETTINGS)
    assert home.settings().database_url == "postgresql://elsewhere/x"
    assert home.settings().amqp_url == SETTINGS.amqp_url
    assert "elsewhere" not in home.file.read_text("utf-8")


def test_the_distributed_host_may_have_its_addresses_from_the_environment(tmp_path: Path):
    """Both are needed, from wherever."""
    settings = Settings("341599", "anhui", host="distributed")
    urls = {"HUILIAN_DATABASE_URL": "postgresql://db/x", "HUILIAN_AMQP_URL": "amqps://mq/x"}
    home = Home(tmp_path / "with", urls)
    home.create(settings)
    assert (home.settings().host, home.settings().amqp_url) == ("distributed", "amqps://mq/x")
    without = Home(tmp_path / "without", {})
    with pytest.raises(ConfigurationError, match=r"HL6006 .*host = distributed needs amqp_url and database_url"):
        without.create(settings)
    assert not without.exists


def test_a_directory_that_was_never_set_up_says_how(tmp_path: Path):
    """The command stands in the text."""
    with pytest.raises(ConfigurationError) as refused:
        Home(tmp_path, {}).settings()
    assert str(refused.value) == f"HL6001 {tmp_path} is not set up; run: huilian init --county CODE"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("county = ", "Invalid value"),
        (b'county = "\xbb\xdd"', "'utf-8' codec can't decode"),
        ("", "county, policy: 缺少 (missing)"),
        ('county = "341599"', "policy: 缺少 (missing)"),
        ('county = 341599\npolicy = "anhui"', "county: 类型不对，如文字须加引号"),
        ('county = "341599"\npolicy = "anhui"\ncolour = "red"', "colour; known settings: county, policy, host"),
        ('county = "34159"\npolicy = "anhui"', "county: 应为六位代码 (six digits are needed)"),
        ('county = "341599\\n"\npolicy = "anhui"', "county: 应为六位代码 (six digits are needed)"),
        ('county = "041599"\npolicy = "anhui"', "county: 应为六位代码 (six digits are needed)"),
        ('county = "３４１５９９"\npolicy = "anhui"', "county: 应为六位代码 (six digits are needed)"),
        ('county = "341599"\npolicy = "anhui"\nhost = "cloud"', "host: embedded | distributed"),
        ('county = "341599"\npolicy = "anhui"\nlisten = "8341"', 'listen: expected "address:port"'),
        ('county = "341599"\npolicy = "anhui"\nlisten = ":8341"', 'listen: expected "address:port"'),
        ('county = "341599"\npolicy = "anhui"\nlisten = "localhost:http"', 'listen: expected "address:port"'),
        ('county = "341599"\npolicy = "anhui"\ndead_letters = "all"', "dead_letters: 应为大于 0 的整数"),
        ('county = "341599"\npolicy = "anhui"\ndaily_mib = 0', "daily_mib: 应为大于 0 的整数"),
        ('county = "341599"\npolicy = "anhui"\nconnections = true', "connections: 应为大于 0 的整数"),
        ('county = "341599"\npolicy = "anhui"\nlisten = "localhost:65536"', 'listen: expected "address:port"'),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, content: str | bytes, what: str):
    """A misspelt setting would otherwise silently be the default."""
    with pytest.raises(ConfigurationError) as refused:
        home_with(tmp_path, content).settings()
    assert refused.value.code == "HL6006"
    assert what in str(refused.value)


MAPPED = (
    'county = "341599"\npolicy = "anhui"\n\n[products.RCB01]\nXEXD01 = "anhui/household"\n'
    '001 = "xingan/household"\n\n[products.PSBC1522]\n"YZ XE" = "yanchi/household"\n'
)


def test_the_county_says_what_a_bank_means_by_its_product_codes(tmp_path: Path):
    """Codes are the banks' own: the same one means something else at another bank, or nothing yet."""
    settings = home_with(tmp_path, MAPPED).settings()
    assert settings.policy_product("RCB01", "XEXD01") == ("anhui", "household")
    assert settings.policy_product("RCB01", "001") == ("xingan", "household")
    assert settings.policy_product("PSBC1522", "YZ XE") == ("yanchi", "household")
    assert settings.policy_product("PSBC1522", "XEXD01") is None
    assert settings.policy_product("RCB02", "XEXD01") is None
    Home(tmp_path, {}).create(replace(settings, listen="0.0.0.0:80"))
    assert Home(tmp_path, {}).settings().products == settings.products


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('RCB01 = "anhui"', "RCB01.代码"),
        ('RCB01 = { XEXD01 = "anhui" }', "RCB01.XEXD01"),
        ('RCB01 = { XEXD01 = "anhui/" }', "RCB01.XEXD01"),
        ('RCB01 = { XEXD01 = "anhui/household/x" }', "RCB01.XEXD01"),
        ("RCB01 = { XEXD01 = 1 }", "RCB01.XEXD01"),
        ('RCB01 = { XEXD01 = { policy = "anhui" } }', "RCB01.XEXD01"),
        ('"农商行" = { XEXD01 = "anhui/household" }', "农商行.代码"),
    ],
)
def test_a_product_code_that_is_mapped_wrongly_is_named(tmp_path: Path, content: str, place: str):
    """With the bank, the code and how it is written."""
    home = home_with(tmp_path, f'county = "341599"\npolicy = "anhui"\n[products]\n{content}\n')
    with pytest.raises(ConfigurationError) as refused:
        home.settings()
    assert refused.value.code == "HL6006"
    assert f"products.{place}: 应按银行写明代码对应的政策与产品" in str(refused.value.chinese)


def test_limits_stay_as_somebody_wrote_them(tmp_path: Path):
    """Setting the directory up once more does not undo what the county decided; the rest has its default."""
    home = home_with(tmp_path, 'county = "341599"\npolicy = "anhui"\ndaily_mib = 10\nconnections_by_address = 3\n')
    home.create(Settings("341599", "anhui", listen="0.0.0.0:80"))
    settings = home.settings()
    assert (settings.daily_mib, settings.connections_by_address, settings.listen) == (10, 3, "0.0.0.0:80")
    assert (settings.dead_letters, settings.dead_letter_mib, settings.connections) == (10_000, 1024, 256)
    assert "dead_letters" not in home.file.read_text("utf-8")


def test_the_environment_names_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`HUILIAN_HOME`, made absolute, or a hidden directory at home."""
    monkeypatch.setenv("HUILIAN_HOME", "~/county")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Home.from_environment().folder == tmp_path / "county"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUILIAN_HOME", "here")
    assert Home.from_environment().folder == tmp_path / "here"
    monkeypatch.delenv("HUILIAN_HOME")
    assert Home.from_environment().folder == tmp_path / ".huilian"


def test_only_a_members_own_keys_are_trusted_for_it(tmp_path: Path):
    """Keys are added, never replaced; another member's are another's."""
    home = Home(tmp_path, {})
    first, second, other = (SigningKey.generate().public for _ in range(3))
    assert home.trusted_keys("HUILIAN") == []
    home.trust("HUILIAN", first)
    home.trust("HUILIAN", second)
    home.trust("HUILIAN", first)
    home.trust("HUILIAN2", other)
    assert {key.kid for key in home.trusted_keys("HUILIAN")} == {first.kid, second.kid}
    assert home.trusted_keys("HUILIAN2") == [other]
