"""What a package says of itself: its Head, and the digest of its Body."""

from __future__ import annotations

import codecs
import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.insurer.parsing import parse
from adapters.insurer.recoding import slices
from adapters.insurer.vocabulary import BODY, HEAD, PACKAGE, qualified
from adapters.toolkit.encodings import GB18030, UTF_8
from huilian.core import money
from huilian.core.errors import FileRefused

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.insurer.outline import Outline
    from adapters.insurer.parsing import Element

__all__ = ["Head", "read_head", "verify_digest"]

DIGEST_ALGORITHM: Final = "SHA-256"

_MISSING: Final = "缺少 (missing)"
_REPEATED: Final = "不止一个 (more than one)"
_MALFORMED: Final = "格式有误 (malformed)"
_FORMS: Final = {
    "Sender": r"[0-9A-Za-z][0-9A-Za-z_.-]{0,19}",
    "MessageId": r"[0-9A-Za-z_./()（）-]{1,60}",
    "CreatedAt": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})",
    "Count": r"[0-9]{1,9}",
    "TotalAmount": r"[0-9]{1,18}(\.[0-9]{1,2})?",
    "Digest": r"[0-9A-Fa-f]{64}",
}
"""The items of a Head, all of which must be there once, and their forms."""
_CHINESE: Final = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
"""What UTF-8 writes in three or four bytes. Of names in GB18030, taken at random, one in some thousands is valid UTF-8
and has such characters; a Body with one such name and no other Chinese text is refused: better than a wrong name."""


@dataclass(frozen=True)
class Head:
    """What a Head states.

    Args:
        sender: the insurer's code, "INS_PICC".
        message_id: its own number of the message.
        count: elements in the Body.
        total_fen: premiums of policies and amounts of claims, added up.
        digest: SHA-256 of the Body's bytes, lower-case hexadecimal.
    """

    sender: str
    message_id: str
    count: int
    total_fen: int
    digest: str

    def stated(self) -> dict[str, str]:
        """Return its control totals, as `huilian.adapters.Piece.stated` has them."""
        return {"rows": str(self.count), "policies.premium+claims.amount": money.text(money.from_fen(self.total_fen))}


def read_head(parts: Outline, file: str) -> Head:
    """Return what the Head states; what stands in it or beside it besides is passed over.

    Raises:
        FileRefused: HL3031, what stands before or after the Body is not well-formed; HL3032, something in it is
            missing, repeated or malformed, the namespace included.
    """
    codec = parts.encoding.codec
    package = parse(parts.head + parts.closing, codec, file, parts.head_line)
    tail = parse(parts.opening + parts.tail, codec, file, parts.body_line)
    if package.tag != PACKAGE:
        raise _refused(file, "Package", "根元素或命名空间有误 (wrong root or namespace)")
    heads = package.findall(HEAD)
    if len(heads) != 1 or tail.find(HEAD) is not None:
        raise _refused(file, "Package/Head", _REPEATED if heads else _MISSING)
    if tail.find(BODY) is not None:
        raise _refused(file, "Package/Body", _REPEATED)
    stated = {name: _item(heads[0], name, file) for name in _FORMS}
    if heads[0].find(qualified("Digest")).get("alg") != DIGEST_ALGORITHM:
        raise _refused(file, "Head/Digest/@alg", f"应为 {DIGEST_ALGORITHM} (must be {DIGEST_ALGORITHM})")
    if not _is_time(stated["CreatedAt"]):
        raise _refused(file, "Head/CreatedAt", _MALFORMED)
    yuan, _, fen = stated["TotalAmount"].partition(".")
    return Head(
        stated["Sender"],
        stated["MessageId"],
        int(stated["Count"]),
        int(yuan + fen.ljust(2, "0")),
        stated["Digest"].lower(),
    )


def verify_digest(source: Path, parts: Outline, head: Head) -> None:
    """Hold the Body's bytes against the Head, before anything is made of them.

    Raises:
        FileRefused: HL3034, the digest disagrees; HL3032, the declaration says GB18030 of what is UTF-8, which
            would be read as other characters without any error.
    """
    digest = hashlib.sha256()
    utf_8 = _Utf8Check() if parts.encoding.codec == GB18030 else None
    for chunk in slices(source, parts.start, parts.end):
        digest.update(chunk)
        if utf_8:
            utf_8.look_at(chunk)
    if digest.hexdigest() != head.digest:
        raise FileRefused("HL3034", file=source.name)
    if utf_8 and utf_8.is_chinese():
        raise _refused(source.name, "encoding", "声明为 GB18030，内容却是 UTF-8 (declared GB18030, but UTF-8)")


class _Utf8Check:
    """Whether text is UTF-8 as a whole, and has Chinese characters when it is read so."""

    def __init__(self) -> None:
        self._found = False
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder(UTF_8)()

    def look_at(self, chunk: bytes) -> None:
        """Go on with the next bytes."""
        if self._decoder is not None:
            try:
                text = self._decoder.decode(chunk)
                self._found = self._found or bool(_CHINESE.search(text))
            except UnicodeDecodeError:
                self._decoder = None

    def is_chinese(self) -> bool:
        """Return it of all that was looked at."""
        return self._decoder is not None and self._found


def _item(head: Element, name: str, file: str) -> str:
    found = head.findall(qualified(name))
    if len(found) != 1:
        raise _refused(file, f"Head/{name}", _REPEATED if found else _MISSING)
    text = (found[0].text or "").strip()
    if len(found[0]) or not re.fullmatch(_FORMS[name], text):
        raise _refused(file, f"Head/{name}", _MALFORMED if text else _MISSING)
    return text


def _is_time(text: str) -> bool:
    try:
        dt.datetime.fromisoformat(re.sub(r"\.[0-9]+", "", text))
    except ValueError:
        return False
    return True


def _refused(file: str, item: str, what: str) -> FileRefused:
    return FileRefused("HL3032", file=file, item=item, what=what)
