"""Names that both ends use: members, submissions, addresses and headers of the HTTP interface."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt

__all__ = [
    "CURSOR_HEADER",
    "NOT_TAKEN_HEADER",
    "OUTCOME_PATH",
    "PLATFORM",
    "PREFIX",
    "PURPOSE_HEADER",
    "SEAL_HEADER",
    "SUPERSEDED_HEADER",
    "SubmissionName",
    "is_code",
]


DIGITS: Final = 16
"""How many digits of a file's SHA-256 stand in the name."""
_NAME: Final = re.compile(
    r"(?P<member>[0-9A-Za-z_]+)-(?P<kind>[a-z_]+)-(?P<day>[0-9]{8})-(?P<digest>[0-9a-f]{16})"
    r"(?:-(?P<code>HL[0-9]{4})|\.(?P<statement>[1-9][0-9]*))?",
    re.ASCII,
)
_ANY: Final = re.compile(r"[0-9A-Za-z_./()（）-]{1,120}")
_OWNER: Final = re.compile(r"(?P<member>[0-9A-Za-z_]+)-(?P<kind>[a-z_]+)-.", re.ASCII)


@dataclass(frozen=True)
class SubmissionName:
    """What a submission's name says.

    Args:
        member: who sends it.
        kind: of submission.
        day: its as-of date, "20240531".
        digest: the first digits of its file's SHA-256.
        statement: the first, second, … submission of the same file.
        code: of the refusal, where the file was refused by its sender.
    """

    member: str
    kind: str
    day: str
    digest: str
    statement: int = 1
    code: str | None = None

    @classmethod
    def of(cls, member: str, kind: str, as_of: dt.date, sha256: str, *, code: str | None = None) -> SubmissionName:
        """Return the first name of a file with these bytes; with `code`, of what tells of its refusal."""
        return cls(member, kind, f"{as_of:%Y%m%d}", sha256[:DIGITS], code=code)

    @classmethod
    def parse(cls, text: str) -> SubmissionName | None:
        """Return what a name says, or None where it is not built as ours are."""
        match = _NAME.fullmatch(text)
        if match is None:
            return None
        member, kind, day, digest = match.group("member", "kind", "day", "digest")
        return cls(member, kind, day, digest, int(match["statement"] or 1), match["code"])

    @staticmethod
    def may_be(text: str) -> bool:
        """Return whether a manifest lets a submission be called so."""
        return _ANY.fullmatch(text) is not None

    @staticmethod
    def owner(text: str) -> tuple[str, str] | None:
        """Return member and kind that any submission's name begins with; what follows is its sender's to choose."""
        match = _OWNER.match(text)
        return (match["member"], match["kind"]) if match else None

    @staticmethod
    def beginning(member: str, kind: str, day: str = "") -> str:
        """Return what all names of a member's kind, or of a day of it, begin with."""
        return f"{member}-{kind}-" + (f"{day}-" if day else "")

    @property
    def next(self) -> SubmissionName:
        """Return the name under which the same file is stated once more."""
        return replace(self, statement=self.statement + 1)

    def __str__(self) -> str:
        """Return the name as it is written."""
        name = f"{self.member}-{self.kind}-{self.day}-{self.digest}"
        if self.code:
            return f"{name}-{self.code}"
        return name if self.statement == 1 else f"{name}.{self.statement}"


PREFIX: Final = "/api/v1"
"""What every path but those of operations begins with."""
OUTCOME_PATH: Final = "/messages/outcome"
"""Where a sender asks what became of one message, by its seal."""
SEAL_HEADER: Final = "Huilian-Seal"
"""Carries the seal of the payload in the body: of a message sent, or of a receipt answered."""
CURSOR_HEADER: Final = "Huilian-Next-Cursor"
"""What to give as `since` the next time."""
NOT_TAKEN_HEADER: Final = "Huilian-Not-Taken"
"""Beside a feed: what of the files it rests on was not taken, a JSON list; absent where all was."""
PURPOSE_HEADER: Final = "Huilian-Purpose"
"""Why personal data is read: UTF-8, as it is or percent-encoded."""
SUPERSEDED_HEADER: Final = "Huilian-Superseded-By"
"""Beside a receipt: the submission that has taken the place of what it tells of, percent-encoded."""

PLATFORM: Final = "HUILIAN"
"""The member code under which Huilian's own services sign."""
_CODE: Final = re.compile(r"[0-9A-Za-z_]{1,20}", re.ASCII)


def is_code(text: str) -> bool:
    """Return whether a member may be called so: 1 to 20 letters, digits or underscores."""
    return _CODE.fullmatch(text) is not None
