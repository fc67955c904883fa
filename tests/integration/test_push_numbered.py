"""Numbered files of the postal savings bank, pushed by the command: the number decides, and the sender is told."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from huilian.cli.application import run
from huilian.county.office import set_up
from huilian.settings import Home, Settings
from tests.support.builders.postal_files import ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

COUNTY, BANK = "341599", "PSBC1522"


@pytest.fixture(autouse=True)
def _office(tmp_path: Path, fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An embedded office with the bank as a member."""
    monkeypatch.setenv("HUILIAN_HOME", str(tmp_path / "home"))
    with capture_logs():
        set_up(Home(tmp_path / "home", {}), Settings(COUNTY, "anhui", database_url=fresh_database))
        assert run(["member", "add", BANK, "--kind", "bank", "--adapter", "postal_savings_bank"]) == 0
        yield


def push(
    folder: Path, capsys: pytest.CaptureFixture[str], number: int, *loans: Mapping[str, str]
) -> tuple[dict[str, int], str]:
    """Push a file of 31 May 2024; return its receipt and what was printed beside it."""
    name = f"{BANK}_20240531_{number:04d}.dat"
    file = ledger(*loans)
    file = dataclasses.replace(file, header=file.header.replace(b"0001", b"%04d" % number, 1))
    capsys.readouterr()
    path = file.save(folder / name)
    assert run(["push", str(path), "--adapter", "postal_savings_bank", "--member", BANK, "--json"]) == 0
    printed = capsys.readouterr()
    return json.loads(printed.out), printed.err


def balances(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Return the balance of each loan in the feed."""
    assert run(["feed", "loans", "--region", COUNTY]) == 0
    return {row["loan_no"]: row["balance"] for row in map(json.loads, capsys.readouterr().out.splitlines())}


def test_a_file_0001_that_comes_after_0002_completes_it_and_overwrites_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """0002 is told that 0001 is missing; then 0001 comes, of whose two loans 0002 has one."""
    answer, told = push(tmp_path, capsys, 2, {"借据号": "J1", "借款余额": "1000000"})
    assert answer["changed"] == 1
    assert told == "通知 (notice)：2024-05-31 的贷款台账已收到第 2 号文件，但第 1 号文件未收到；请补报\n"
    answer, told = push(tmp_path, capsys, 1, {"借据号": "J1", "借款余额": "3000000"}, {"借据号": "J2"})
    assert (answer["accepted"], answer["changed"], answer["unchanged"], answer["missing"]) == (2, 1, 1, 0)
    assert told == ""
    assert balances(capsys) == {"J1": "10000.00", "J2": "30000.00"}


def test_a_number_that_comes_again_with_other_contents_is_told_of_beside_the_receipt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """On standard error, so that the answer for programs keeps its keys; it replaces what the first stated."""
    first, told = push(tmp_path, capsys, 1, {"借据号": "J1", "借款余额": "1000000"})
    assert told == ""
    second, told = push(tmp_path, capsys, 1, {"借据号": "J1", "借款余额": "2000000"})
    assert set(second) == set(first)
    assert told == (
        f"通知 (notice)：2024-05-31 的贷款台账第 1 号文件与先前的 {first['submission']} 编号相同而内容不同，"
        "两份均已入账，同一笔以后到的为准；请核对编号\n"
    )
    assert balances(capsys) == {"J1": "20000.00"}
