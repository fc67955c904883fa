"""`python -m bench.applications`: a county's spring, every step as lists, on the embedded host.

Ten thousand households of a hundred villages apply: each village sends its forms with consents and opinion, each
township its list, the bank what it verified, the county what it confirms; the fund reserves, the bank's ledger has the
loans, the insurer covers them. Prints the seconds of each step, sealing included, and the most memory that the process
had.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from stdnum.cn import ric

from huilian.core.clock import FixedClock
from huilian.hosts.embedded import EmbeddedHost, EmbeddedTransport
from huilian.settings import Settings
from tests.support.applications import ApplicationCounty, form, step
from tests.support.builders.loans import state
from tests.support.carried_county import COUNTY, members
from tests.support.county import new_office
from tests.support.reporting import NOW, ReportingCounty, Submission

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from huilian.wire.envelope import Message

TOWNSHIPS = tuple(f"{COUNTY}{100 + place}" for place in range(1, 11))
VILLAGES = tuple(f"{township}{200 + place}" for township in TOWNSHIPS for place in range(1, 11))
KIB_PER_MIB = 1024


class Spring(ApplicationCounty):
    """A county of a hundred villages, whose embedded host carries the messages."""

    members: ClassVar[Mapping[str, tuple[str, str | None]]] = {
        **{f"V{village}": ("village", village) for village in VILLAGES},
        **{f"T{township}": ("township", township) for township in TOWNSHIPS},
        "RCB01": ("bank", None),
        "PSB01": ("bank", None),
        "FIN01": ("finance", None),
        "INS01": ("insurer", None),
        "GUA01": ("guarantor", None),
    }

    def work_through(self, label: str, submissions: Iterable[list[Message]], host: EmbeddedHost) -> float:
        """Send submissions, let the host carry what follows from them, and print how long that took."""
        transport, begun = EmbeddedTransport(self.office), time.perf_counter()
        for messages in submissions:
            for message in messages:
                transport.send(message)
            host.drain()
        seconds = time.perf_counter() - begun
        print(f"{label:28} {seconds:7.2f} s")
        return seconds


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.applications", description=__doc__)
    parser.add_argument("--households", type=int, default=10_000, help="how many apply (default 10,000)")
    households = parser.parse_args().households
    with tempfile.TemporaryDirectory(prefix="huilian-bench-") as name:
        folder = Path(name)
        # The embedded server runs as another user when we are root: it must be able to pass through.
        folder.chmod(0o755)
        with new_office(folder, Settings(COUNTY, "xingan"), members(Spring.members), clock=FixedClock(NOW)) as office:
            spring = Spring(office, office.clock)
            spring.deposit(amount="1000000000.00")
            _enrol(spring, households)
            with EmbeddedHost(office) as host:
                _measure(spring, households, host)
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIB_PER_MIB} MiB")


def _measure(spring: Spring, households: int, host: EmbeddedHost) -> None:
    of_village: dict[str, list[int]] = {village: [] for village in VILLAGES}
    for each in range(households):
        of_village[_village(each)].append(each)
    of_township = {
        township: [each for village in VILLAGES if village.startswith(township) for each in of_village[village]]
        for township in TOWNSHIPS
    }

    def decided(member: str, name: str, numbers: Iterable[int]) -> list[Message]:
        return spring.list_of((), [step(f"A{each}", name) for each in numbers], member=member)

    seconds = spring.work_through(
        "forms and recommendations", (_forms(spring, f"V{each}", numbers) for each, numbers in of_village.items()), host
    )
    for name, lists in (
        ("township_review", [(f"T{township}", numbers) for township, numbers in of_township.items()]),
        ("bank_verification", [("RCB01", range(households))]),
        ("county_confirmation", [(COUNTY, numbers) for numbers in of_township.values()]),
    ):
        seconds += spring.work_through(name, (decided(member, name, numbers) for member, numbers in lists), host)
    seconds += spring.work_through("the bank's ledger", [_ledger(spring, households)], host)
    seconds += spring.work_through("insure", [decided("INS01", "insure", range(households))], host)
    rows = spring.rows("SELECT state, count(*) AS n FROM registry.application GROUP BY 1")
    states = ", ".join(f"{row['n']} {row['state']}" for row in rows)
    print(f"{'in all':28} {seconds:7.2f} s, {states}, reservations: {sorted(set(spring.reserved().values()))}")


def _forms(spring: Spring, member: str, numbers: list[int]) -> list[Message]:
    forms = [form(f"A{each}", f"H{each}", applicant=_number(each), region=_village(each)) for each in numbers]
    recommended = [step(f"A{each}", "village_recommendation") for each in numbers]
    consents = [
        {
            "consent_no": f"C{each}", "household_no": f"H{each}", "identity_number": _number(each),
            "scope": "credit_inquiry;share_with_insurer", "institution": None, "from_date": "2024-01-01",
            "until_date": None, "document": None,
        }
        for each in numbers
    ]  # fmt: skip
    return spring.list_of(forms, recommended, consents, member=member)


def _ledger(spring: Spring, households: int) -> list[Message]:
    today = spring.clock.today()
    rows = [
        {"loan_no": f"L{each}"}
        | state(
            household_no=f"H{each}", identity_type="resident_identity_card", identity_number=_number(each),
            region=_village(each), principal="30000.00", balance="30000.00", start_date=today.isoformat(),
            due_date="2027-01-05", confirmation_no=f"A{each}",
        )
        for each in range(households)
    ]  # fmt: skip
    return ReportingCounty(spring.office).messages(Submission("RCB01", today, rows))


def _village(household: int) -> str:
    return VILLAGES[household % len(VILLAGES)]


def _number(household: int) -> str:
    digits = f"341599{19800101 + household // 1000 % 28}{household % 1000:03}"
    return digits + str(ric.calc_check_digit(digits + "0"))


def _enrol(spring: Spring, households: int) -> None:
    with spring.transaction() as transaction:
        transaction.many(
            "INSERT INTO registry.person (household_no, identity_number, head_name, person_name, relation_to_head,"
            " region, category, is_head, as_of, submission, sequence, line)"
            " VALUES (%s, %s, '户主甲', '户主甲', '本人', %s, 'out_of_poverty', 'yes', '2023-01-01', 0, 0, 0)",
            [(f"H{each}", _number(each), _village(each)) for each in range(households)],
        )


if __name__ == "__main__":
    main()
