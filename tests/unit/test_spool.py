"""The spool: on disk as a whole before anything leaves, and until it is answered."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from huilian.core.errors import UsageError
from huilian.institution import spool
from huilian.institution.spool import Spool
from huilian.wire import envelope
from huilian.wire.envelope import Draft
from huilian.wire.keys import SigningKey

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.wire.envelope import Message

NAME = "RCB01-loan_ledger-20240531-0123456789abcdef"
KEY = SigningKey.generate()
NOW = dt.datetime(2024, 6, 1, 1, 0, tzinfo=dt.UTC)


def message(number: int) -> Message:
    """Return a sealed message."""
    return envelope.seal(Draft("roster", "roster/v1", "341599", b"%d" % number), KEY, source="341599", time=NOW)


def test_a_submission_is_seen_when_it_is_complete(tmp_path: Path):
    """Until then nobody finds it, and from then on it is as it was written."""
    whole = Spool(tmp_path)
    writer = whole.begin(NAME)
    sealed = [message(number) for number in range(12)]
    for number, each in enumerate(sealed):
        writer.write(number, each)
        assert whole.find(NAME) is None
    submission = writer.finish({"submission": NAME, "文件": "RCB01.csv"})
    found = whole.find(NAME)
    assert found is not None
    assert found.folder == submission.folder == tmp_path / NAME
    assert found.manifest == {"submission": NAME, "文件": "RCB01.csv"}
    assert (found.count, found.sent, found.receipt, found.rejections) == (12, 0, None, None)
    assert list(found.messages()) == sealed
    assert list(found.messages(10)) == sealed[10:]
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_what_a_crash_left_half_made_is_made_anew(tmp_path: Path):
    """Nothing of it is mixed into what is written next."""
    half = tmp_path / f"{NAME}.part"
    half.mkdir()
    (half / "000007.seal").write_text("left behind")
    (half / "manifest.json").write_text("{}")
    assert Spool(tmp_path).find(NAME) is None
    writer = Spool(tmp_path).begin(NAME)
    writer.write(0, message(0))
    assert writer.finish({}).count == 1
    assert not half.exists()


def test_two_processes_never_write_the_same_submission(tmp_path: Path):
    """The second is sent away; when the first has died, however, its half is taken over."""
    code = (
        "import sys, time; from pathlib import Path; from huilian.institution.spool import Spool;"
        "writer = Spool(Path(sys.argv[1])).begin(sys.argv[2]); print('begun', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-P", "-c", code, tmp_path, NAME], stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == b"begun\n"
        with pytest.raises(UsageError, match="HL7001 同一文件正在由另一进程报送"):
            Spool(tmp_path).begin(NAME)
    finally:
        other.kill()
        other.communicate()
    assert Spool(tmp_path).begin(NAME).finish({}).count == 0


def test_an_abandoned_draught_leaves_nothing(tmp_path: Path):
    """And the next may begin."""
    writer = Spool(tmp_path).begin(NAME)
    writer.write(0, message(0))
    writer.abandon()
    assert list(tmp_path.iterdir()) == []
    Spool(tmp_path).begin(NAME).abandon()


def test_a_discarded_submission_is_gone(tmp_path: Path):
    """Its file will be translated and sealed anew."""
    submission = Spool(tmp_path).begin(NAME).finish({})
    submission.discard()
    assert Spool(tmp_path).find(NAME) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "-1", "x", "1 2", "\x00\x00"])
def test_a_note_that_a_crash_spoiled_means_send_all_again(tmp_path: Path, text: str):
    """What is sent twice counts once, so the cautious answer is nothing."""
    submission = Spool(tmp_path).begin(NAME).finish({})
    submission.note_sent(5)
    assert submission.sent == 5
    (submission.folder / "sent").write_text(text)
    assert submission.sent == 0


def test_the_answer_stays_with_the_submission(tmp_path: Path):
    """Asked again, it is the same."""
    submission = Spool(tmp_path).begin(NAME).finish({})
    submission.keep_receipt({"status": "accepted", "message": None, "说明": "已入账"})
    found = Spool(tmp_path).find(NAME)
    assert found is not None
    assert found.receipt == {"status": "accepted", "message": None, "说明": "已入账"}
    assert sorted(path.name for path in submission.folder.iterdir()) == ["manifest.json", "receipt.json"]


def test_the_rejected_rows_are_found_and_are_no_message(tmp_path: Path):
    """Whatever the institution calls its files."""
    writer = Spool(tmp_path).begin(NAME)
    (writer.folder / "退回_RCB01.seal").write_text("rows")
    submission = writer.finish({})
    assert submission.rejections == submission.folder / "退回_RCB01.seal"
    assert (submission.count, list(submission.messages())) == (0, [])


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A disk that fills up leaves the old content."""
    path = tmp_path / "receipt.json"
    spool.write_atomically(path, b"old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        spool.write_atomically(path, b"new and longer")
    assert path.read_bytes() == b"old"
