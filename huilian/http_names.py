"""The names both ends of the HTTP interface use; here so that neither has to load the other."""

from typing import Final

__all__ = ["CURSOR_HEADER", "NOT_TAKEN_HEADER", "PREFIX", "SEAL_HEADER", "SUPERSEDED_HEADER"]

PREFIX: Final = "/api/v1"
"""What every path but those of operations begins with."""
SEAL_HEADER: Final = "Huilian-Seal"
"""Carries the seal of the payload in the body: of a message sent, or of a receipt answered."""
CURSOR_HEADER: Final = "Huilian-Next-Cursor"
"""What to give as `since` the next time."""
NOT_TAKEN_HEADER: Final = "Huilian-Not-Taken"
"""Beside a feed: what of the files it rests on was not taken, a JSON list; absent where all was."""
SUPERSEDED_HEADER: Final = "Huilian-Superseded-By"
"""Beside a receipt: the submission that has taken the place of what it tells of, percent-encoded."""
