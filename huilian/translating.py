"""Messages in an institution's own format, made canonical by its adapter on this side of the wire.

What comes as files is translated where it comes from. A system that posts one thing at a time, as an
insurer's does with a claim, seals what it has; here its member's adapter reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian import adapters, file_ownership, members
from huilian.errors import FileRefused, MessageRefused

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.adapters import Adapter, AdapterSettings, Piece
    from huilian.county.context import Translate
    from huilian.database import Transaction
    from huilian.envelope import Message
    from huilian.home import Home

__all__ = ["translator"]


def translator(home: Home, county: str) -> Translate:
    """Return what reads messages with the adapters of their senders, set up as `home` says.

    An adapter and its settings are read once, and anew when the settings file or the folder of adapters changes.
    """
    known: dict[str, tuple[object, Adapter, AdapterSettings]] = {}

    def ready(name: str) -> tuple[Adapter, AdapterSettings]:
        state = _state(home)
        if name not in known or known[name][0] != state:
            adapter = adapters.find(name, home.adapters)
            settings = adapters.settings_for(adapter, county, home.adapter_tables(), home.adapters)
            known[name] = state, adapter, settings
        _, adapter, settings = known[name]
        return adapter, settings

    def translate(transaction: Transaction, message: Message) -> Piece:
        """Return what the message holds as one piece.

        Raises:
            MessageRefused: HL1019, its sender has no adapter that reads it; or what is wrong with it.
        """
        name = members.find(transaction, message.source).adapter
        adapter, settings = ready(name) if name else (None, None)
        if adapter is None or settings is None or message.dataschema not in adapter.reads_messages:
            raise MessageRefused("HL1019", member=message.source, dataschema=message.dataschema)
        try:
            return adapter.read_message(message.body(), message.dataschema, settings)
        except FileRefused as error:
            raise MessageRefused("HL1020", what=f"{error.code} {error.chinese}") from error

    return translate


def _state(home: Home) -> list[tuple[Path, int]]:
    """Return what changes when settings or an adapter in a folder do: their content, their owner or their mode."""
    paths = [home.file, *file_ownership.tree(home.adapters)] if home.adapters.exists() else [home.file]
    return [(path, path.lstat().st_ctime_ns) for path in paths if path.exists()]
