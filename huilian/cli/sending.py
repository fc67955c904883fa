"""One file on its way, from the disk to an answer."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from huilian import adapters, catalogue
from huilian.cli.answers import REFUSED, SPOOLED, Answer
from huilian.cli.progress import watching
from huilian.clock import SystemClock
from huilian.errors import FileRefused, HostUnavailable, HuilianError, MessageRefused
from huilian.institution import push

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huilian.adapters import Adapter, AdapterSettings
    from huilian.cli.ways import Way
    from huilian.home import Home

__all__ = ["send"]


def send(
    file: Path,
    *,
    adapter: Adapter,
    member: str,
    home: Home,
    way: Way,
    seconds: float = push.RECEIPT_SECONDS,
    allow_missing: int = 0,
    at_once: Callable[[Answer], None] = lambda _refused: None,
) -> Answer:
    """Push one file; whatever refuses it or keeps it from arriving is in the answer.

    Of a file that is refused on this machine the county is told.

    Args:
        file: the file.
        adapter: translates it.
        member: sends it.
        home: whose keys seal it and whose spool keeps it.
        way: where it goes.
        seconds: how long to wait for the receipt.
        allow_missing: how many records of what stood the file may lack, however many that is.
        at_once: called with the answer of a file refused here, before the county is told.

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
        allow_missing=allow_missing,
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
                allow_missing=allow_missing,
            )
    except FileRefused as refusal:
        answer = Answer.of_refusal(file, refusal)
        if not answer.refused_here:
            return answer
        at_once(answer)
        return _told(answer, adapter=adapter, home=home, settings=settings, way=way, seconds=seconds)
    except (MessageRefused, HostUnavailable) as error:
        # It was translated, or no server would have been asked: this finds it in the spool.
        spooled = translated()
        status = SPOOLED if isinstance(error, HostUnavailable) else REFUSED
        return Answer.of_error(file, error, status, spooled.manifest, spooled.rejections)
    return Answer.of_receipt(file, pushed)


def _told(
    answer: Answer, *, adapter: Adapter, home: Home, settings: AdapterSettings, way: Way, seconds: float
) -> Answer:
    try:
        told = push.tell(
            answer.submission or "",
            source=answer.file,
            adapter=adapter,
            home=home,
            settings=settings,
            clock=SystemClock(),
            transport=way.transport,
            seconds=min(seconds, push.REFUSAL_SECONDS),
        )
    except HuilianError as error:
        # Whatever it is: that the file was refused has been said, and stays so.
        return replace(answer, untold=error)
    return replace(answer, answer=told.answer)
