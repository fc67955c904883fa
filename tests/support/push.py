"""Pushing a bank's ledger into a county office, in small batches, for tests and for the processes that tests kill."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import huilian.wire.batches
from huilian.adapters import loading
from huilian.core.clock import SystemClock
from huilian.hosts.embedded import EmbeddedHost, EmbeddedTransport
from huilian.institution import push, translation
from huilian.institution.journal import Journal
from huilian.institution.sync import Sender, Sync
from huilian.wire import catalogue
from tests.support.county import BANK, COUNTY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from huilian.core.clock import Clock
    from huilian.county.office import Office
    from huilian.institution.push import Pushed
    from huilian.institution.spool import SpooledSubmission
    from huilian.institution.transports.base import Transport
    from huilian.settings import Home
    from huilian.wire.envelope import Message

ADAPTER = "rural_commercial_bank"
FILE = "RCB01_LOAN_20240531.csv"
HEADER = (
    "借据号,信贷合同号,户编号,借款人姓名,证件类型,证件号码,行政区划代码,产品代码,借款金额,借款余额,年利率(%),利率类型,"
    "起始日期,到期日期,终止日期,还款方式,贷款用途,五级分类,逾期天数,欠本金额,欠息金额,贷款状态,经办机构"
)
BATCH = 4
"""Records a message: a ledger of twelve loans makes three of them."""
_BAD_REGION = 99
"""The number of a loan that lies in another county."""


def row(number: int, balance: str = "30000.00") -> str:
    """Return one loan as the bank writes it."""
    region = "520626100201" if number == _BAD_REGION else f"34159910{number % 3}201"
    person = f"H{number:04d},村民,9,T{number:06d}"
    return (
        f"L{number:04d},C{number:04d},{person},{region},XEXD,50000.00,{balance},4.35,固定,"
        "20240101,20261231,,到期还本,种植,1,0,0.00,0.00,0,某支行"
    )


def ledger(
    folder: Path, numbers: Iterable[int] = range(1, 13), *, name: str = FILE, trailer: str | None = None
) -> Path:
    """Write a ledger with these loans and a trailer that agrees, unless another is given."""
    loans = list(numbers)
    sums = f"合计,{len(loans)},{len(loans) * 50000}.00,{len(loans) * 30000}.00" if trailer is None else trailer
    lines = [HEADER, *(row(number) for number in loans), sums + "," * 19]
    path = folder / name
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode("gb18030"))
    return path


def spool(source: Path, home: Home, clock: Any) -> SpooledSubmission:  # noqa: ANN401  # any clock
    """Translate and spool a file."""
    found = loading.find(ADAPTER)
    return translation.translate(
        source,
        adapter=found,
        member=BANK,
        home=home,
        settings=loading.settings_for(found, COUNTY, {}),
        catalogue=catalogue.installed(),
        clock=clock,
    )


def send(source: Path, office: Office, transport: Transport | None = None, *, seconds: float = 30) -> Pushed:
    """Push a file into an open office whose host is running."""
    found = loading.find(ADAPTER)
    return push.push(
        source,
        adapter=found,
        member=BANK,
        home=office.home,
        settings=loading.settings_for(found, COUNTY, {}),
        catalogue=catalogue.installed(),
        clock=office.clock,
        transport=transport or EmbeddedTransport(office),
        seconds=seconds,
    )


@contextlib.contextmanager
def engine(home: Home, transport: Transport, *, clock: Clock | None = None) -> Iterator[Sync]:
    """Give the engine that a push of the bank uses, at one end of a transport."""
    found = loading.find(ADAPTER)
    told = loading.settings_for(found, COUNTY, {})
    with Journal(home) as journal:
        sender = Sender(home, journal, BANK, found, told, catalogue.installed(), clock or SystemClock())
        yield Sync(sender, transport)


def receipt(
    home: Home, transport: Transport, submission: str, *, seconds: float, clock: Clock | None = None
) -> dict[str, Any] | None:
    """Return the receipt of a submission, waiting for it as a push does."""
    with engine(home, transport, clock=clock) as found:
        return found.wait(submission, seconds=seconds)


def send_and_settle(source: Path, office: Office, transport: Transport | None = None) -> Pushed:
    """Push a file, and let the host carry all that it causes."""
    with EmbeddedHost(office) as host:
        pushed = send(source, office, transport)
        host.drain()
    return pushed


class Cut(EmbeddedTransport):
    """A transport that fails before, or after, a message of a certain number was handed over."""

    def __init__(self, office: Office, at: int, failure: BaseException, *, after: bool) -> None:
        super().__init__(office)
        self.at = at
        self.failure = failure
        self.after = after
        self.sent: list[str] = []

    def send(self, message: Message) -> None:
        """Hand a message over, or fail."""
        number = len(self.sent)
        if number == self.at and not self.after:
            raise self.failure
        super().send(message)
        self.sent.append(message.id)
        if number == self.at:
            raise self.failure


def in_small_batches() -> None:
    """Make batches of `BATCH` records from now on; for a process of its own."""
    huilian.wire.batches.LINE_LIMIT = BATCH  # type: ignore[misc]  # final to everybody else
