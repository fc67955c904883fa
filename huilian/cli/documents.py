"""Files that travel between institution and county: read whole, written once, and their fingerprints confirmed."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from huilian import private_files
from huilian.cli import screen
from huilian.errors import UsageError
from huilian.private_files import PUBLIC
from huilian.system_errors import why

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.keys import PublicKey

__all__ = ["Fingerprint", "confirmed", "read", "say_where", "taken_back", "write_new"]

Fingerprint = Annotated[
    str | None,
    typer.Option(metavar="DIGITS", help="对方电话中读出的密钥指纹，40 位数字 (read out by telephone)"),
]

LARGEST_BYTES = 1024 * 1024
"""Of which no more is read than it takes to know that it is none of ours."""


def read(file: Path) -> str:
    """Return the text of a document.

    Raises:
        UsageError: HL3010, the file cannot be read.
    """
    try:
        with file.open("rb") as opened:
            # What is no UTF-8 is no document of ours, and is refused as such.
            return opened.read(LARGEST_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise UsageError("HL3010", file=file, what=why(error)) from error


def write_new(file: Path, content: str | bytes, mode: int = PUBLIC) -> None:
    """Write a document to a file that was not there.

    Raises:
        UsageError: HL7021, it is there, or cannot be written.
    """
    try:
        private_files.write_new(file, content.encode() if isinstance(content, str) else content, mode)
    except OSError as error:
        raise UsageError("HL7021", file=file, what=why(error)) from error


@contextlib.contextmanager
def taken_back(file: Path) -> Iterator[None]:
    """Take a file that the block writes away again when the block fails."""
    was_there = file.exists() or file.is_symlink()
    try:
        yield
    except BaseException:
        if not was_there:
            file.unlink(missing_ok=True)
        raise


def say_where(approval: Path, platform: PublicKey) -> None:
    """Print where an approval was written, and the fingerprint by which an institution believes its first one."""
    console = screen.out()
    console.print(f"批准文件 (approval)：{approval}", soft_wrap=True)
    console.print(f"在电话中读给对方的平台指纹 (read out to them)：[bold]{platform.fingerprint}[/bold]", soft_wrap=True)


def confirmed(public: PublicKey, given: str | None) -> str:
    """Return the fingerprint that was given, or ask whether the one in the file is what the other side read out.

    Raises:
        UsageError: HL7001, none was given, and there is nobody to ask.
    """
    if given is not None:
        return given
    if not sys.stdin.isatty():
        what = (
            "请用 --fingerprint 给出对方电话中读出的密钥指纹"
            " (give the fingerprint the other side read out by telephone: --fingerprint)"
        )
        raise UsageError("HL7001", what=what)
    screen.err().print(f"密钥指纹 (fingerprint)：[bold]{public.fingerprint}[/bold]", soft_wrap=True)
    question = "与对方电话中读出的逐位一致？ (is it, digit by digit, what the other side read out by telephone?)"
    return public.fingerprint if typer.confirm(question, default=False, err=True) else ""
