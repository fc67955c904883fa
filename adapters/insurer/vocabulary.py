"""The names that every message of the insurer's shares."""

from __future__ import annotations

from typing import Final

__all__ = ["BODY", "HEAD", "NAMESPACE", "PACKAGE", "local_name", "qualified"]

NAMESPACE: Final = "urn:insurer:rural:v1"
"""The namespace of every element; the number at its end is the version of the whole format."""
_PREFIX: Final = f"{{{NAMESPACE}}}"


def qualified(name: str) -> str:
    """Return an element's name as lxml states it, "{urn:insurer:rural:v1}Policy"."""
    return _PREFIX + name


def local_name(tag: object) -> str | None:
    """Return the name of one of the insurer's elements, or None for anything else."""
    return tag.removeprefix(_PREFIX) if isinstance(tag, str) and tag.startswith(_PREFIX) else None


PACKAGE: Final = qualified("Package")
HEAD: Final = qualified("Head")
BODY: Final = qualified("Body")
