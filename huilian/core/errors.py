"""One error tree, with codes that stay the same and messages in Chinese and English.

::

    HuilianError
    ├── MessageRefused       HL1xxx  a sealed message that is not let in
    ├── FileRefused          HL3xxx  a whole file that cannot be taken
    ├── AccessDenied         HL4xxx  who may not do what
    ├── HostUnavailable      HL5xxx  a server that is away: wait and try again
    ├── ConfigurationError   HL6xxx  a setting, policy or adapter that is wrong
    └── UsageError           HL7xxx  a command that was called wrongly

Row errors (HL2xxx) are data, not exceptions: a row never stops its file. They travel as the
contract `rejections`, and their texts stand in the same catalogue.

A code is six characters, so that it fits the postal savings bank's rejection record.
Messages name files, lines and fields; never a person, number, account or key.
"""

# ruff: noqa: N818 - what was refused or denied reads better than one more "Error".

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

from huilian.core.error_texts import TEXTS, Bilingual

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "AccessDenied",
    "ConfigurationError",
    "FileRefused",
    "HostUnavailable",
    "HuilianError",
    "MessageRefused",
    "Reason",
    "UsageError",
    "describe",
    "kept",
    "printable",
    "reason",
    "reasons_of",
    "refused_for",
    "told",
]


CODE_LENGTH: Final = 6
"""Characters in a code; the narrowest counterparty format gives it six bytes."""


def describe(code: str, language: str = "zh", **facts: object) -> str:
    """Return the text of `code` in `language` ("zh" or "en") with `facts` filled in.

    Raises:
        KeyError: the code is not in the catalogue, or a fact its text needs is missing.
    """
    chinese, english = TEXTS[code]
    named = {name: each.text(language) if isinstance(each, Bilingual) else each for name, each in facts.items()}
    return (chinese if language == "zh" else english).format(**named)


class HuilianError(Exception):
    """Base of every error Huilian raises on purpose.

    Args:
        code: a code of the catalogue in `huilian.core.error_texts`.
        facts: what the text of that code names, for example `file` and `line`.
    """

    def __init__(self, code: str, **facts: object) -> None:
        self.code = code
        self.facts = facts
        self.chinese = describe(code, "zh", **facts)
        self.english = describe(code, "en", **facts)
        super().__init__(f"{code} {self.english}")

    def text(self, language: str = "zh") -> str:
        """Return the message in `language`, without its code."""
        return self.chinese if language == "zh" else self.english


class MessageRefused(HuilianError):
    """A sealed message that is not let in; with its code it is kept as a dead letter, or counted."""

    signature_held: bool = True
    """Whether it was refused after its signature was found to hold; before that anybody may have sent it."""


class Reason(TypedDict):
    """One of the reasons for which something was refused."""

    field: str | None
    code: str
    message: str
    message_en: str


def reason(code: str, field: str | None = None, **facts: object) -> Reason:
    """Return one reason for a refusal: its code, with `facts` filled into both texts, and the field at fault."""
    return Reason(
        field=field or None, code=code, message=describe(code, "zh", **facts), message_en=describe(code, "en", **facts)
    )


def refused_for(found: Sequence[MessageRefused | Reason]) -> MessageRefused:
    """Return one refusal for all that was found wrong, so that a sender is told every reason at once.

    A handler that looks at everything collects refusals and reasons, and raises this. A single refusal stays itself.
    """
    if len(found) == 1 and isinstance(found[0], MessageRefused):
        return found[0]
    reasons = [each for one in found for each in (reasons_of(one) if isinstance(one, MessageRefused) else [one])]
    what = "；".join(f"{each['code']} {each['field'] or ''} {each['message']}".replace("  ", " ") for each in reasons)
    return MessageRefused("HL1035", what=what, reasons=reasons)


def reasons_of(error: HuilianError) -> list[Reason]:
    """Return why something was refused: of each reason the field at fault, if it names one, code and both texts."""
    several: list[Reason] | None = error.facts.get("reasons")  # type: ignore[assignment]  # put there above
    if several:
        return several
    field = error.facts.get("field")
    shown = None if field is None else str(field)
    return [Reason(field=shown, code=error.code, message=error.chinese, message_en=error.english)]


class FileRefused(HuilianError):
    """A whole file that cannot be taken; nothing of it has been applied."""

    submission: str | None = None
    """The spooled submission by which the county is told of it, where it is known whose file it is and of what kind."""


class AccessDenied(HuilianError):
    """A member, token or role that may not do what it asked for."""


class HostUnavailable(HuilianError):
    """A server that does not answer now. Waiting and trying again is the remedy."""


class ConfigurationError(HuilianError):
    """A setting, policy, contract or adapter that is wrong; the process must not start."""


class UsageError(HuilianError):
    """A command or call made wrongly; its text says what to do instead."""


_TREE: Final[dict[str, type[HuilianError]]] = {
    "HL1": MessageRefused,
    "HL3": FileRefused,
    "HL4": AccessDenied,
    "HL5": HostUnavailable,
    "HL6": ConfigurationError,
    "HL7": UsageError,
}


def printable(text: str) -> str:
    """Return a text that somebody else wrote as a terminal may show it: what steers terminals becomes a space."""
    return "".join(each if each.isprintable() else " " for each in text)


def kept(code: str, facts: Mapping[str, object] | None, english: str) -> HuilianError:
    """Return an error that was kept by its code and its facts.

    Args:
        code: as it was kept.
        facts: what the text of that code names; None of what an older version kept.
        english: its English text then: the code may since have got another.
    """
    try:
        if facts is not None:
            return _TREE[code[:3]](code, **facts)
    except KeyError:
        pass
    return told(code, english, english)


def told(code: str, english: str, chinese: str | None = None) -> HuilianError:
    """Return an error that was found elsewhere or earlier, with the texts that were kept of it.

    The facts its texts named are not known here, and a newer server may send a code that
    this catalogue does not have yet: neither stands in the way of passing it on.

    Args:
        code: as it was given.
        english: its English text, the facts filled in.
        chinese: its Chinese text; without it the catalogue's, or the English one.
    """
    if chinese is None:
        try:
            chinese = describe(code, "zh")
        except KeyError:
            chinese = english
    kind = _TREE.get(code[:3], HuilianError)
    error = kind.__new__(kind)
    Exception.__init__(error, f"{code} {english}")
    error.code, error.facts, error.chinese, error.english = code, {}, chinese, english
    return error
