"""What the operating system says of files, in words for people."""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from huilian.cli.members.documents import read_document, write_document
from huilian.core.errors import UsageError
from huilian.core.files import explain, explain_no_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(2, os.strerror(2)), "没有这个文件或目录 (No such file or directory)"),
        (OSError(28, os.strerror(28)), "磁盘已满 (No space left on device)"),
        (OSError(71, os.strerror(71)), "Protocol error"),
        (OSError(), "OSError"),
        (zipfile.BadZipFile("张三 is no entry"), "BadZipFile"),
    ],
)
def test_a_system_error_is_said_in_chinese_where_it_is_known_and_never_with_what_a_file_holds(
    error: BaseException, said: str
):
    """Of errors with texts of their own only the kind is named: their texts may hold cells."""
    assert explain(error) == said


def test_what_is_no_file_is_told_apart(tmp_path: Path):
    """A folder, a device, nothing at all."""
    file = tmp_path / "file"
    file.write_text("x")
    os.mkfifo(tmp_path / "pipe")
    assert [
        explain_no_file(path) for path in (file, tmp_path, tmp_path / "pipe", tmp_path / "none", file / "below")
    ] == [
        None,
        "是目录，不是文件 (Is a directory)",
        "不是普通文件 (not a regular file)",
        "没有这个文件或目录 (No such file or directory)",
        "路径中有一段不是目录 (Not a directory)",
    ]


def test_a_document_is_not_written_over_another_and_its_error_says_so(tmp_path: Path):
    """Not that it cannot be read."""
    file = tmp_path / "request.json"
    write_document(file, "first")
    with pytest.raises(UsageError, match="HL7021") as caught:
        write_document(file, "second")
    assert f"{file} 无法写入：已存在，不会覆盖，请换一个文件名 (File exists)" in caught.value.chinese
    assert read_document(file) == "first"
