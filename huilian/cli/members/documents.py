"""Keys and documents in files: made, read whole, written once, their fingerprints confirmed."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path  # noqa: TC003  # typer reads it
from typing import TYPE_CHECKING, Annotated

import typer

from huilian.cli import screen
from huilian.core import files
from huilian.core.errors import AccessDenied, UsageError
from huilian.core.files import PUBLIC, explain, make_folder
from huilian.wire.keys import PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.database.connection import Transaction
    from huilian.settings import Home
    from huilian.wire.keys import SigningKey

__all__ = [
    "Fingerprint",
    "check_new",
    "confirmed",
    "made",
    "read_document",
    "read_public",
    "say_where",
    "taken_back",
    "trust",
    "write_document",
]


Fingerprint = Annotated[
    str | None,
    typer.Option(metavar="DIGITS", help="对方电话中读出的密钥指纹，40 位数字 (read out by telephone)"),
]

LARGEST_BYTES = 1024 * 1024
"""Of which no more is read than it takes to know that it is none of ours."""


def read_document(file: Path) -> str:
    """Return the text of a document.

    Raises:
        UsageError: HL3010, the file cannot be read.
    """
    try:
        with file.open("rb") as opened:
            # What is no UTF-8 is no document of ours, and is refused as such.
            return opened.read(LARGEST_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise UsageError("HL3010", file=file, what=explain(error)) from error


def write_document(file: Path, content: str | bytes, mode: int = PUBLIC) -> None:
    """Write a document to a file that was not there.

    Raises:
        UsageError: HL7021, it is there, or cannot be written.
    """
    try:
        files.write_new(file, content.encode() if isinstance(content, str) else content, mode)
    except OSError as error:
        raise UsageError("HL7021", file=file, what=explain(error)) from error


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


def read_public(file: Path) -> PublicKey:
    """Return the public key in a PEM file.

    Raises:
        UsageError: HL3010, the file cannot be read; HL7001, it holds no such key.
    """
    try:
        return PublicKey.from_pem(file.read_text("utf-8"))
    except OSError as error:
        raise UsageError("HL3010", file=file, what=explain(error)) from error
    except UnicodeDecodeError:
        return PublicKey.from_pem("")  # not text, so no PEM: refused as such


def check_new(transaction: Transaction, key: PublicKey) -> None:
    """Let pass a key that nobody has.

    Raises:
        UsageError: HL7022, a member has it.
    """
    owner = transaction.value("SELECT member FROM huilian.member_key WHERE kid = %s", [key.kid])
    if owner:
        raise UsageError("HL7022", what=f"{owner} {key.kid}")


def trust(home: Home, code: str, key: PublicKey, fingerprint: str | None, *, file: Path) -> None:
    """Believe a member by a key from now on, once its fingerprint is confirmed; one that is known needs none.

    Raises:
        UsageError: HL7001, no fingerprint was given, and there is nobody to ask.
        AccessDenied: HL4013, it is another; HL4021, the key was revoked here.
    """
    trusted = home.trusted(code)
    trusted.check_not_revoked(key)
    if trusted.find(key.kid) is None and not key.is_called(confirmed(key, fingerprint)):
        raise AccessDenied("HL4013", file=file.name, found=key.fingerprint)
    make_folder(home.folder)
    home.trust(code, key)


@contextlib.contextmanager
def made(home: Home, code: str) -> Iterator[SigningKey]:
    """Make and keep a key for a member; when the block fails it is as if it had never been made."""
    folder = home.folder / "keys" / code
    before = set(folder.glob("*.pem"))
    key = home.keys.create(code)
    try:
        yield key
    except BaseException:
        for file in set(folder.glob("*.pem")) - before:
            file.unlink()
        raise
