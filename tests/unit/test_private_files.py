"""Files and folders come with modes of their own, and take the place of whatever was laid in their way."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from huilian.core import files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to another group")
GROUP = 65534


@pytest.fixture(params=[0o000, 0o022, 0o077], autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever the umask is."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> str:
    """Return a path's mode as `ls` shows it."""
    return stat.filemode(path.lstat().st_mode)


def test_a_folder_is_private_and_those_above_it_may_be_passed(tmp_path: Path):
    """One that is there keeps its mode; a file in its place is an error."""
    folder = tmp_path / "a" / "b" / "c"
    files.make_folder(folder)
    assert [mode(folder.parents[1]), mode(folder.parent), mode(folder)] == ["drwxr-xr-x", "drwxr-xr-x", "drwx------"]
    folder.chmod(0o750)
    files.make_folder(folder)
    assert mode(folder) == "drwxr-x---"
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        files.make_folder(tmp_path / "file")


@AS_ROOT
def test_a_folder_hands_its_group_down_where_it_did(tmp_path: Path):
    """As in what an institution has opened to the group of its core system."""
    os.chown(tmp_path, -1, GROUP)
    tmp_path.chmod(0o2770)
    files.make_folder(tmp_path / "inbox", files.SHARED_FOLDER)
    assert (mode(tmp_path / "inbox"), (tmp_path / "inbox").stat().st_gid) == ("drwxr-s---", GROUP)


def test_what_was_laid_in_the_way_of_a_file_is_not_written_to(tmp_path: Path):
    """A link leads nowhere, and what somebody else keeps open stays as it was."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"another's")
    (tmp_path / "receipt.new").symlink_to(elsewhere)
    files.write_atomically(tmp_path / "receipt", b"ours")
    (tmp_path / "manifest").hardlink_to(elsewhere)
    files.write(tmp_path / "manifest", b"ours, too")
    assert elsewhere.read_bytes() == b"another's"
    assert (mode(tmp_path / "receipt"), mode(tmp_path / "manifest")) == ("-rw-------", "-rw-------")
    assert ((tmp_path / "receipt").read_bytes(), (tmp_path / "manifest").read_bytes()) == (b"ours", b"ours, too")


@AS_ROOT
def test_an_answer_is_read_by_the_group_of_the_folder_it_goes_to(tmp_path: Path):
    """Which is not always that of the account that writes it."""
    outbox, answer = tmp_path / "outbox", tmp_path / "answer"
    outbox.mkdir()
    os.chown(outbox, -1, GROUP)
    files.write(answer, b"")
    files.share(answer, outbox)
    assert (mode(answer), answer.stat().st_gid) == ("-rw-r-----", GROUP)


@AS_ROOT
def test_an_answer_for_a_group_of_others_is_kept_by_the_folder_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The account is not of that group, and may not give it the file."""
    answer = tmp_path / "answer"
    files.write(answer, b"")
    os.chown(tmp_path, -1, GROUP)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "chown", refuse)
    files.share(answer, tmp_path)
    assert mode(answer) == "-rw-r--r--"
