"""Suspensions: where nobody lends, from when until when, and what of many loans that concerns."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import refused_for
from huilian.county.members import directory, persons
from huilian.county.members.directory import Member
from huilian.county.messages import notices
from huilian.county.messages.notices import Notice
from huilian.county.procedure.acts import Taken, taking
from services.registry.parties import periods
from services.registry.parties.homes import check_member
from services.registry.parties.periods import HOLDS, Periods

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

    _Entered = tuple[str, Mapping[str, Any]]

__all__ = ["Asked", "enter", "in_force", "on_lending_suspended", "on_lending_suspension"]

_KEPT: Final = Periods(
    "lending_suspension", ("suspension_no",), ("region", "institution", "product", "reason", "from_date")
)


_DAYS: Final = ("from_date", "until_date", "date")
_OFFICES: Final = frozenset({"county", "township", "village"})
_KINDS: Final = {True: "lending_suspended", False: "lending_resumed"}
"""The kind of notice, by whether a suspension is new."""


@dataclass(frozen=True)
class Asked:
    """A question about one loan.

    Args:
        region: of the borrower.
        institution: the bank.
        product: of the policy.
        day: on which it would be lent.
    """

    region: str
    institution: str
    product: str
    day: dt.date


def in_force(transaction: Transaction, asked: Sequence[Asked]) -> list[tuple[str, ...]]:
    """Return for each question the numbers of the suspensions that stand against it, in order of the questions."""
    rows = transaction.rows(
        f"""
        SELECT array_agg(s.suspension_no ORDER BY s.suspension_no) FILTER (WHERE s.suspension_no IS NOT NULL) AS found
        FROM unnest(%(regions)s::text[], %(institutions)s::text[], %(products)s::text[], %(days)s::date[])
             WITH ORDINALITY AS a (region, institution, product, day, place)
        LEFT JOIN registry.lending_suspension s ON starts_with(a.region, s.region)
             AND (s.institution IS NULL OR s.institution = a.institution)
             AND (s.product IS NULL OR s.product = a.product) AND {HOLDS.format("s", "a.day")}
        GROUP BY place ORDER BY place
        """,
        {
            "regions": [each.region for each in asked],
            "institutions": [each.institution for each in asked],
            "products": [each.product for each in asked],
            "days": [each.day for each in asked],
        },
    )
    return [tuple(row["found"] or ()) for row in rows]


def enter(transaction: Transaction, taken: Taken) -> bool:
    """Enter a suspension, or lift the one that has its number; return whether that changed anything.

    Notes HL1059, another suspension has the number; HL1098, it was lifted before.

    Args:
        transaction: in which it is written.
        taken: the fields of `lending_suspension`, and who decided; `person` is None where no person did.
    """
    return bool(_KEPT.enter(transaction, [(taken, taken.facts)]))


def on_lending_suspension(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterable[Draft]:
    """Suspend lending in an area, or say from when on it goes on; tell whom it concerns."""
    with taking(record, message, transaction, persons.APPROVE, periods.hold) as taken:
        if record["institution"] is not None:
            check_member(transaction, record["institution"], ("bank",), taken)
        entered = _entered(transaction, taken)
    return _notices(transaction, context, [entered] if entered else [])


def on_lending_suspended(message: Message, transaction: Transaction, context: Context) -> Iterable[Draft]:
    """Suspend lending where the breaker stops it, and lift what it lifts; tell whom it concerns."""
    periods.hold(transaction)
    service = Member(message.source, "service", message.source, None, None, suspended=False)
    entered = []
    for change in map(json.loads, message.body().splitlines()):
        said = change["after"]
        record = {name: said[name] for name in ("region", "from_date", "until_date")} | {
            "suspension_no": change["suspension_no"], "institution": None, "product": None, "reason": said["text"],
            "date": change["as_of"], "person": None,
        }  # fmt: skip
        days = {name: record[name] and dt.date.fromisoformat(record[name]) for name in _DAYS}
        taken = Taken(record | days, service, message.id, context.clock.today())
        if (told := _entered(transaction, taken)) is not None:
            entered.append(told)
        # The county may have lifted it before; that stands.
        if refusals := [each for each in taken.refusals if each.code != "HL1098"]:
            raise refused_for(refusals)
    return _notices(transaction, context, entered)


def _entered(transaction: Transaction, taken: Taken) -> _Entered | None:
    """Enter a suspension or lift one; return what is to be told of it, None where it changes nothing."""
    is_new = not _KEPT.known(transaction, [taken.facts])
    return (_KINDS[is_new], taken.record) if enter(transaction, taken) and not taken.refusals else None


def _notices(transaction: Transaction, context: Context, entered: Sequence[_Entered]) -> Iterator[Draft]:
    """Yield what is told of suspensions: to the county, to stations of the place and around it, to each bank."""
    for member in directory.all_members(transaction) if entered else ():
        told = [_notice(kind, record) for kind, record in entered if _concerns(record, member)]
        if told and member.takes_part:
            yield notices.draft_of(context, member.code, told)


def _concerns(record: Mapping[str, Any], member: Member) -> bool:
    if member.kind == "bank":
        return record["institution"] in (None, member.code)
    where = member.region or ""
    return member.kind in _OFFICES and (record["region"].startswith(where) or where.startswith(record["region"]))


def _notice(kind: str, record: Mapping[str, Any]) -> Notice:
    text = f"区划 {record['region']} 自 {record['from_date']} 起停止发放贷款"
    if record["product"] is not None:
        text += f"（产品 {record['product']}）"
    if record["until_date"] is not None:
        text += f"，自 {record['until_date']} 起恢复"
    return Notice(kind, f"{text}：{record['reason']}", record["suspension_no"], region=record["region"])
