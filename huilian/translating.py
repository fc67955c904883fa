"""Messages in an institution's own format, made canonical by its adapter on this side of the wire.

What comes as files is translated where it comes from. A system that posts one thing at a time, as an
insurer's does with a claim, seals what it has; here its member's adapter reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian import adapters, members
from huilian.errors import FileRefused, MessageRefused

if TYPE_CHECKING:
    from huilian.adapters import Piece
    from huilian.county.context import Translate
    from huilian.database import Transaction
    from huilian.envelope import Message
    from huilian.home import Home

__all__ = ["translator"]


def translator(home: Home, county: str) -> Translate:
    """Return what reads messages with the adapters of their senders, set up as `home` says."""

    def translate(transaction: Transaction, message: Message) -> Piece:
        """Return what the message holds as one piece.

        Raises:
            MessageRefused: HL1019, its sender has no adapter that reads it; or what is wrong with it.
        """
        name = members.find(transaction, message.source).adapter
        adapter = adapters.find(name, home.adapters) if name else None
        if adapter is None or message.dataschema not in adapter.reads_messages:
            raise MessageRefused("HL1019", member=message.source, dataschema=message.dataschema)
        settings = adapters.settings_for(adapter, county, home.adapter_tables(), home.adapters)
        try:
            return adapter.read_message(message.body(), message.dataschema, settings)
        except FileRefused as error:
            raise MessageRefused("HL1020", what=f"{error.code} {error.chinese}") from error

    return translate
