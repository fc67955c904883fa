"""What tells the county of a file that was refused here: it keeps its contract, whatever the refusal says."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huilian.adapters import FileIdentity
from huilian.core.errors import FileRefused
from huilian.institution import translation
from huilian.institution.spool import Spool
from huilian.institution.translation import Refused, on_one_line
from huilian.wire import catalogue, envelope
from huilian.wire.keys import SigningKey

NOW = dt.datetime(2024, 6, 1, 1, 0, tzinfo=dt.UTC)
KEY = SigningKey.generate()
CONTRACT = catalogue.installed().latest("refused_file")
SHA256 = "0123456789abcdef" * 4
ANY_TEXT = st.text(st.characters(), max_size=700)
"""With line breaks, control characters, and what stands for bytes that are no text."""


def spooled(
    spool: Spool, refusal: FileRefused, *, file_name: str = "RCB01_LOAN_20240531.csv", key: SigningKey = KEY
) -> str:
    """Spool a refusal of one file, and return the name of its submission."""
    identity = FileIdentity("RCB01", "loan_ledger", dt.date(2024, 5, 31))
    refused = Refused("RCB01", identity, file_name, SHA256, "rural_commercial_bank", "1")
    return translation.spool_refusal(refusal, refused, spool=spool, contract=CONTRACT, key=key, time=NOW)


def refusal(what: str = "坏") -> FileRefused:
    """Return a refusal whose text says `what`."""
    return FileRefused("HL3010", file="RCB01_LOAN_20240531.csv", what=what)


def stated(spool: Spool, name: str) -> dict[str, Any]:
    """Return what the one message of a submission says."""
    found = spool.find(name)
    assert found is not None
    [message] = found.messages()
    envelope.verify(message, KEY.public)
    content: dict[str, Any] = message.json()
    CONTRACT.schema().load(content)
    return content


def test_a_refusal_is_one_sealed_message_under_a_name_of_its_own(tmp_path: Path):
    """File, digest, code and reason; the manifest on disk says besides that it holds nothing."""
    spool = Spool(tmp_path)
    name = spooled(spool, refusal())
    assert name == "RCB01-loan_ledger-20240531-0123456789abcdef-HL3010"
    content = stated(spool, name)
    assert content == {
        "submission": name,
        "member": "RCB01",
        "kind": "loan_ledger",
        "as_of": "2024-05-31",
        "adapter": "rural_commercial_bank",
        "adapter_version": "1",
        "file_name": "RCB01_LOAN_20240531.csv",
        "file_sha256": SHA256,
        "code": "HL3010",
        "message": refusal().chinese,
    }
    [found] = spool.submissions()
    [message] = found.messages()
    assert (message.type, message.dataschema, message.subject, message.submission) == (
        *("refused_file", "refused_file/v2"),
        *("RCB01", name),
    )
    assert found.manifest == content | {"rows": 0, "accepted": 0, "rejected": 0, "parts": []}


def test_the_same_refusal_is_spooled_once_and_another_beside_it(tmp_path: Path):
    """To the seal; with another code it is told under another name."""
    spool = Spool(tmp_path)
    name = spooled(spool, refusal())
    [before] = [list(each.messages()) for each in spool.submissions()]
    assert spooled(spool, refusal()) == name
    assert [list(each.messages()) for each in spool.submissions()] == [before]
    other = spooled(spool, FileRefused("HL3006", file="RCB01_LOAN_20240531.csv"))
    assert [each.folder.name for each in spool.submissions()] == [other, name]


def test_sealed_again_it_says_the_same_under_the_key_of_now_and_counts_as_not_sent(tmp_path: Path):
    """Of the file itself nothing is needed."""
    spool = Spool(tmp_path)
    old = SigningKey.generate()
    [found] = [spool.find(spooled(spool, refusal(), key=old))]
    assert found is not None
    found.note_sent(1)
    found.keep_receipt({"status": "refused"})
    [before] = found.messages()
    found.seal_again(KEY, NOW + dt.timedelta(days=1))
    [after] = found.messages()
    assert stated(spool, found.folder.name) == before.json()
    assert (found.sent, found.receipt, after.payload) == (0, None, before.payload)
    assert (after.id != before.id, after.time, after.kid) == (True, NOW + dt.timedelta(days=1), KEY.kid)


@given(what=ANY_TEXT, file_name=ANY_TEXT.filter(bool))
def test_whatever_a_refusal_says_its_message_keeps_the_contract(what: str, file_name: str):
    """Line breaks, control characters and undecodable names included; too long, it is cut."""
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder))
        name = spooled(spool, refusal(what), file_name=f"a{file_name}")
        assert stated(spool, name)["message"].startswith("文件 RCB01_LOAN_20240531.csv")


@given(text=ANY_TEXT, longest=st.integers(1, 600))
def test_a_text_is_brought_onto_one_line_within_its_bounds(text: str, longest: int):
    """Doing it again changes nothing."""
    line = on_one_line(text, longest)
    assert len(line) <= longest
    assert len(f"a{line}b".splitlines()) == 1
    assert line.encode().decode() == line
    assert on_one_line(line, longest) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("一\r\n二\t三", "一 二 三"),
        ("a  b", "a  b"),
        ("\x00\x1f", ""),
        ("\udce4.csv", "?.csv"),
        ("一" * 20, "一" * 20),
        ("一" * 21, "一" * 19 + "…"),
    ],
)
def test_a_line_is_cut_where_it_must_be(text: str, line: str):
    """A break is a blank; blanks of the text's own stay."""
    assert on_one_line(text, 20) == line


def test_a_half_written_refusal_is_made_anew(tmp_path: Path):
    """What a killed process left is no submission."""
    spool = Spool(tmp_path)
    name = spooled(spool, refusal())
    half = (tmp_path / name).rename(tmp_path / f"{name}.part")
    (half / "manifest.json").unlink()
    assert spool.submissions() == []
    assert spooled(spool, refusal()) == name
    assert json.loads((tmp_path / name / "manifest.json").read_text("utf-8"))["code"] == "HL3010"
    assert [path.name for path in tmp_path.iterdir()] == [name]
