"""Key pairs made here, and public keys handed in: what `member add` and `member key` share."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from huilian.cli import documents
from huilian.errors import AccessDenied, UsageError
from huilian.keys import PublicKey
from huilian.private_files import make_folder
from huilian.system_errors import why

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.database import Transaction
    from huilian.home import Home
    from huilian.keys import SigningKey

__all__ = ["check_new", "made", "read_public", "trust"]


def read_public(file: Path) -> PublicKey:
    """Return the public key in a PEM file.

    Raises:
        UsageError: HL3010, the file cannot be read; HL7001, it holds no such key.
    """
    try:
        return PublicKey.from_pem(file.read_text("utf-8"))
    except OSError as error:
        raise UsageError("HL3010", file=file, what=why(error)) from error
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
    if trusted.find(key.kid) is None and not key.is_called(documents.confirmed(key, fingerprint)):
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
