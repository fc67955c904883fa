"""One file on its way, from the disk to an answer."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from huilian import adapters, catalogue, push
from huilian.cli.answers import REFUSED, SPOOLED, Answer
from huilian.cli.progress import watching
from huilian.clock import SystemClock
from huilian.errors import FileRefused, HostUnavailable, MessageRefused

if TYPE_CHECKING:
    from pathlib import Path

    from huilian.adapters import Adapter
    from huilian.cli.ways import Way
    from huilian.home import Home

__all__ = ["send"]


def send(
    file: Path, *, adapter: Adapter, member: str, home: Home, way: Way, seconds: float = push.RECEIPT_SECONDS
) -> Answer:
    """Push one file; whatever refuses it or keeps it from arriving is in the answer.

    Args:
        file: the file.
        adapter: translates it.
        member: sends it.
        home: whose keys seal it and whose spool keeps it.
        way: where it goes.
        seconds: how long to wait for the receipt.

    Raises:
        ConfigurationError: HL6010 to HL6012, a setting of an adapter is wrong.
    """
    settings = adapters.settings_for(adapter, way.county, home.adapter_tables(), home.adapters)
    translated = functools.partial(
        push.translate,
        file,
        adapter=adapter,
        member=member,
        home=home,
        settings=settings,
        catalogue=catalogue.installed(),
        clock=SystemClock(),
    )
    try:
        with watching(file.stat().st_size) as progress:
            pushed = push.push(
                file,
                adapter=adapter,
                member=member,
                home=home,
                settings=settings,
                catalogue=catalogue.installed(),
                clock=SystemClock(),
                transport=way.transport,
                progress=progress,
                seconds=seconds,
            )
    except FileRefused as refusal:
        return Answer.of_error(file, refusal, REFUSED)
    except (MessageRefused, HostUnavailable) as error:
        # It was translated, or no server would have been asked: this finds it in the spool.
        spooled = translated()
        status = SPOOLED if isinstance(error, HostUnavailable) else REFUSED
        return Answer.of_error(file, error, status, spooled.manifest, spooled.rejections)
    return Answer.of_receipt(file, pushed)
