"""A file that was refused where it was made: what tells the county of it.

None of its rows leaves the machine. What is sent is a submission of one message, spooled
like any other, so that it can be cut off anywhere and be told again. It bears another name
than the file would have had: the same bytes are taken later, once what refused them is mended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian import envelope
from huilian.envelope import Draft

if TYPE_CHECKING:
    import datetime as dt

    from huilian.adapters import FileIdentity
    from huilian.catalogue import Contract
    from huilian.errors import FileRefused
    from huilian.institution.spool import Spool
    from huilian.keys import SigningKey

__all__ = ["TYPE", "Refused", "on_one_line", "spool"]

TYPE: Final = "refused_file"
MESSAGE_CHARACTERS: Final = 500
FILE_NAME_CHARACTERS: Final = 255
"""At most, by the contract."""
_CUT: Final = "…"
_HOLDS_NOTHING: Final[dict[str, Any]] = {"rows": 0, "accepted": 0, "rejected": 0, "parts": []}
"""What the spool says of it besides, as of any submission."""
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
"""Control characters, and what else some programs take for a line's end."""


@dataclass(frozen=True)
class Refused:
    """What is known of a refused file.

    Args:
        member: who would have sent it.
        identity: what its name says.
        file_name: its name.
        sha256: of its bytes, in hexadecimal digits.
        adapter: which refused it.
        adapter_version: of its translation.
    """

    member: str
    identity: FileIdentity
    file_name: str
    sha256: str
    adapter: str
    adapter_version: str

    def submission(self, code: str) -> str:
        """Return the name under which it is told: another refusal of the same bytes is another submission."""
        return f"{self.member}-{self.identity.kind}-{self.identity.as_of:%Y%m%d}-{self.sha256[:16]}-{code}"


def spool(
    refusal: FileRefused, refused: Refused, *, spool: Spool, contract: Contract, key: SigningKey, time: dt.datetime
) -> str:
    """Seal and spool what tells the county of a refused file, unless it is spooled already; return its name.

    Args:
        refusal: why the file was refused.
        refused: which file.
        spool: of this machine.
        contract: of the message.
        key: of the member.
        time: the moment of signing, aware.
    """
    name = refused.submission(refusal.code)
    if spool.find(name) is not None:
        return name
    stated = {
        "submission": name,
        "member": refused.member,
        "kind": refused.identity.kind,
        "as_of": refused.identity.as_of,
        "adapter": refused.adapter,
        "adapter_version": refused.adapter_version,
        "file_name": on_one_line(refused.file_name, FILE_NAME_CHARACTERS),
        "file_sha256": refused.sha256,
        "code": refusal.code,
        "message": on_one_line(refusal.chinese, MESSAGE_CHARACTERS) or refusal.code,
    }
    schema = contract.schema()
    body = schema.dumps(stated, ensure_ascii=False, separators=(",", ":")).encode()
    draft = Draft(TYPE, contract.dataschema, refused.member, body, submission=name)
    draught = spool.begin(name)
    try:
        draught.write(0, envelope.seal(draft, key, source=refused.member, time=time))
        draught.finish(dict(schema.dump(stated)) | _HOLDS_NOTHING)
    except BaseException:
        draught.abandon()
        raise
    return name


def on_one_line(text: str, longest: int) -> str:
    """Return `text` without line breaks and other control characters, cut to `longest` characters.

    Bytes of a file name that are no text are shown as question marks.
    """
    line = _BREAKS.sub(" ", text.encode(errors="replace").decode()).strip()
    return line if len(line) <= longest else line[: longest - len(_CUT)].rstrip() + _CUT
