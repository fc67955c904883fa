"""Pushing month after month: what travels is what changed, and what counts is the whole ledger."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huilian.county.messages import dead_letters
from huilian.hosts.embedded import EmbeddedTransport
from huilian.institution.last_ledger import digests
from huilian.institution.spool import Spool
from tests.support.push import ledger, send_and_settle, spool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huilian.institution.push import Pushed
    from huilian.wire.envelope import Message
    from tests.support.county import County

MARCH, APRIL, MAY = (f"RCB01_LOAN_2024{day}.csv" for day in ("0331", "0430", "0531"))
DAMAGES = (lambda held: held[:-1], lambda held: held[:-1] + bytes([held[-1] ^ 1]), lambda _: b"")
CONTENT = "content-polars-*.pieces"


def records(pushed: Pushed, county: County) -> dict[str, list[str]]:
    """Return the loans that travelled, by type of record."""
    spooled = Spool(county.office.home.spool).find(pushed.receipt["submission"])
    assert spooled is not None
    found: dict[str, list[str]] = {}
    for message in spooled.messages():
        if message.bulk:
            found.setdefault(message.type, []).extend(
                json.loads(line)["loan_no"] for line in message.body().splitlines()
            )
    return found


class Ticking(EmbeddedTransport):
    """A transport that takes a second for every message, so that what was refused came before what replaced it."""

    def __init__(self, county: County) -> None:
        super().__init__(county.office)
        self.clock = county.clock

    def send(self, message: Message) -> None:
        """Hand a message over."""
        self.clock.advance(dt.timedelta(seconds=1))
        super().send(message)


def counts(pushed: Pushed) -> dict[str, Any]:
    """Return what the receipt counts."""
    return {name: pushed.receipt[name] for name in ("status", "accepted", "changed", "unchanged", "missing")}


def changed(folder: Path, name: str, numbers: range, *, balance: str, of: int) -> Path:
    """Write a ledger whose loan number `of` has another balance."""
    path = ledger(folder, numbers, name=name)
    text = path.read_bytes().decode("gb18030")
    lines = text.split("\r\n")
    place = next(place for place, line in enumerate(lines) if line.startswith(f"L{of:04d},"))
    lines[place] = lines[place].replace("30000.00", balance)
    sums = lines[-2].split(",")
    sums[3] = f"{(len(numbers) - 1) * 30000 + Decimal(balance):.2f}"
    lines[-2] = ",".join(sums)
    path.write_bytes("\r\n".join(lines).encode("gb18030"))
    return path


def test_the_next_month_sends_what_changed_and_nothing_else(tmp_path: Path, county: County):
    """One loan of twelve has another balance, one came and one went; the line is that of the new file."""
    first = send_and_settle(ledger(tmp_path, name=MARCH), county.office)
    assert len(records(first, county)["loan_ledger"]) == 12
    april = changed(tmp_path, APRIL, range(2, 14), balance="25000.00", of=5)
    second = send_and_settle(april, county.office)
    assert records(second, county) == {"loan_ledger": ["L0005", "L0013"], "loans_gone": ["L0001"]}
    assert counts(second) == {"status": "accepted", "accepted": 12, "changed": 2, "unchanged": 10, "missing": 1}


def signed(path: Path, days: dict[int, str]) -> Path:
    """Add the column of days on which contracts were signed to a ledger; loans that are not named have none."""
    lines = path.read_bytes().decode("gb18030").split("\r\n")
    own = {f"L{number:04d}": day for number, day in days.items()}
    lines = [f"{line},{'签订日期' if not place else own.get(line[:5], '')}" for place, line in enumerate(lines[:-1])]
    path.write_bytes("\r\n".join([*lines, ""]).encode("gb18030"))
    return path


def test_a_loan_whose_contract_alone_has_another_day_is_sent(tmp_path: Path, county: County):
    """The digests cover what a bank began to say later, and what it does not say any more."""
    days = dict.fromkeys(range(1, 4), "20231228")
    days_of_loans = "SELECT loan_no || ' ' || coalesce(signed::text, '-') FROM registry.loan ORDER BY 1"
    send_and_settle(signed(ledger(tmp_path, range(1, 4), name=MARCH), days), county.office)
    second = send_and_settle(
        signed(ledger(tmp_path, range(1, 4), name=APRIL), days | {2: "20231229", 3: ""}), county.office
    )
    assert records(second, county) == {"loan_ledger": ["L0002", "L0003"]}
    assert county.column(days_of_loans) == ["L0001 2023-12-28", "L0002 2023-12-29", "L0003 -"]
    third = send_and_settle(ledger(tmp_path, range(1, 4), name=MAY), county.office)
    assert records(third, county) == {"loan_ledger": ["L0001", "L0002"]}
    assert county.column(days_of_loans) == ["L0001 -", "L0002 -", "L0003 -"]


def test_what_one_ledger_left_out_the_next_brings_back(tmp_path: Path, county: County):
    """A loan that was missing for a month is sent anew, though it is as it was."""
    for name, numbers in ((MARCH, range(1, 4)), (APRIL, range(1, 3))):
        send_and_settle(ledger(tmp_path, numbers, name=name), county.office)
    third = send_and_settle(ledger(tmp_path, range(1, 4), name=MAY), county.office)
    assert records(third, county) == {"loan_ledger": ["L0003"]}
    assert counts(third) == {"status": "accepted", "accepted": 3, "changed": 0, "unchanged": 3, "missing": 0}


def test_a_county_that_knows_another_newest_ledger_gets_the_whole(tmp_path: Path, county: County):
    """April came from another machine: May is refused as a difference from March, and sent again at once."""
    send_and_settle(ledger(tmp_path, name=MARCH), county.office)
    content = [*county.office.home.spool.glob(f"*/{CONTENT}")]
    kept = {file: file.read_bytes() for file in content}
    elsewhere = send_and_settle(ledger(tmp_path, range(1, 11), name=APRIL), county.office)
    spooled = Spool(county.office.home.spool).find(elsewhere.receipt["submission"])
    assert spooled is not None
    spooled.discard()
    for file, held in kept.items():
        file.write_bytes(held)
    third = send_and_settle(ledger(tmp_path, name=MAY), county.office, Ticking(county))
    assert len(records(third, county)["loan_ledger"]) == 12
    assert counts(third) == {"status": "accepted", "accepted": 12, "changed": 0, "unchanged": 12, "missing": 0}
    with county.office.database.transaction() as transaction:
        assert dead_letters.all_dead_letters(transaction) == [], "what was refused came again and was taken"
        assert transaction.value("SELECT code FROM huilian.dead_letter") == "HL1021"


def test_a_spool_that_was_lost_costs_a_whole_ledger_and_nothing_else(tmp_path: Path, county: County):
    """And the same file pushed again has the receipt it had; what it sent then was told otherwise than now."""
    send_and_settle(ledger(tmp_path, name=MARCH), county.office)
    april = changed(tmp_path, APRIL, range(1, 13), balance="25000.00", of=5)
    second = send_and_settle(april, county.office)
    for submission in Spool(county.office.home.spool).submissions():
        submission.discard()
    again = send_and_settle(april, county.office)
    assert again.receipt == second.receipt
    may = send_and_settle(ledger(tmp_path, name=MAY), county.office, Ticking(county))
    assert len(records(may, county)["loan_ledger"]) == 12
    assert counts(may)["changed"] == 1


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_basis_is_none(tmp_path: Path, county: County, damage: Callable[[bytes], bytes]):
    """Cut short, altered, emptied by a full disk: the ledger is sent whole."""
    send_and_settle(ledger(tmp_path, name=MARCH), county.office)
    [content] = county.office.home.spool.glob(f"*/{CONTENT}")
    content.write_bytes(damage(content.read_bytes()))
    second = send_and_settle(ledger(tmp_path, name=APRIL), county.office)
    assert len(records(second, county)["loan_ledger"]) == 12


@pytest.mark.parametrize("numbers", [[99], []])
def test_a_ledger_without_accepted_loans_is_a_basis_like_any_other(tmp_path: Path, county: County, numbers: list[int]):
    """All of its rows were rejected, or it has none: what comes next is new."""
    first = send_and_settle(ledger(tmp_path, numbers, name=MARCH), county.office)
    assert counts(first)["accepted"] == 0
    second = send_and_settle(ledger(tmp_path, range(1, 4), name=APRIL), county.office)
    assert counts(second) == {"status": "accepted", "accepted": 3, "changed": 3, "unchanged": 0, "missing": 0}
    third = send_and_settle(ledger(tmp_path, numbers, name=MAY), county.office)
    assert counts(third)["missing"] == 3


@pytest.mark.parametrize("file", ["receipt.json", "manifest.json"])
def test_a_damaged_spool_means_a_whole_ledger(tmp_path: Path, county: County, file: str):
    """As it is half restored from a backup."""
    first = send_and_settle(ledger(tmp_path, name=MARCH), county.office)
    (county.office.home.spool / first.receipt["submission"] / file).write_bytes(b"")
    second = send_and_settle(ledger(tmp_path, name=APRIL), county.office)
    assert len(records(second, county)["loan_ledger"]) == 12


def test_a_file_that_was_translated_otherwise_is_no_basis(tmp_path: Path, county: County):
    """The county has what an earlier adapter read of it; the purpose of a loan would stay as it was read then."""
    file = ledger(tmp_path, name=MARCH)
    first = send_and_settle(file, county.office)
    [content] = county.office.home.spool.glob(f"*/{CONTENT}")
    manifest = content.parent / "manifest.json"
    stated = json.loads(manifest.read_text("utf-8"))
    stated["parts"][0]["sha256"] = "0" * 64
    manifest.write_text(json.dumps(stated), "utf-8")
    second = send_and_settle(ledger(tmp_path, name=APRIL), county.office, Ticking(county))
    assert first.receipt["accepted"] == len(records(second, county)["loan_ledger"]) == 12


def test_a_correction_of_the_same_date_is_sent_whole_and_so_is_what_follows_it(tmp_path: Path, county: County):
    """Two ledgers of one date are together what the county has of it."""
    send_and_settle(ledger(tmp_path, name=MARCH), county.office)
    corrected = changed(tmp_path, MARCH, range(1, 13), balance="25000.00", of=5)
    for pushed in (
        send_and_settle(corrected, county.office),
        send_and_settle(ledger(tmp_path, name=APRIL), county.office),
    ):
        assert len(records(pushed, county)["loan_ledger"]) == 12
        assert counts(pushed)["changed"] == 1


def test_what_was_never_answered_hinders_nothing_once_a_newer_ledger_was(tmp_path: Path, county: County):
    """A file that was refused is sealed anew and lies in the spool; the mended one was taken meanwhile."""
    send_and_settle(ledger(tmp_path, name=MARCH), county.office)
    spool(ledger(tmp_path, range(1, 5), name=APRIL), county.office.home, county.clock)
    mended = send_and_settle(ledger(tmp_path, name=APRIL), county.office)
    assert len(records(mended, county)["loan_ledger"]) == 12, "one of its date is under way"
    may = send_and_settle(changed(tmp_path, MAY, range(1, 13), balance="25000.00", of=5), county.office)
    assert records(may, county) == {"loan_ledger": ["L0005"]}


def test_only_the_newest_basis_is_kept(tmp_path: Path, county: County):
    """Nothing will be told from an older one any more."""
    for name in (MARCH, APRIL, MAY):
        send_and_settle(ledger(tmp_path, name=name), county.office)
    names = sorted(file.parent.name.split("-")[2] for file in county.office.home.spool.glob(f"*/{CONTENT}"))
    assert names == ["20240430", "20240531"]


TEXTS = st.one_of(st.none(), st.text(st.characters(exclude_categories=["C"]), max_size=3))


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=2, max_size=2, unique=True))
def test_rows_that_differ_in_anything_have_other_digests(pair: list[tuple[str | None, str | None]]):
    """Also where a text moves from one field to the next, or is missing instead of empty."""
    schema = {"line": pl.Int64, "loan_no": pl.String, "purpose": pl.String, "branch": pl.String}
    frames = [pl.DataFrame([(1, "L1", *texts)], schema=schema, orient="row") for texts in pair]
    one, other = (digests(frame, "loan_no").row(0) for frame in frames)
    assert one[1] != other[1]
    assert one[2] != other[2]
    assert digests(frames[0].with_columns(line=pl.lit(7, pl.Int64)), "loan_no").row(0) == one
