"""Agreements, joint guarantees and collateral, by reference alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import reason, refused_for
from huilian.county.members import persons
from huilian.county.procedure.acts import taking
from services.registry.parties import periods
from services.registry.parties.consents import SCOPES_OF
from services.registry.parties.homes import Homes, check_member
from services.registry.parties.periods import HOLDS, Periods

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from huilian.county.context import Context
    from huilian.county.procedure.acts import Taken
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["cooperates", "on_agreement"]

_PARTIES: Final = ("members", "households", "enterprises")
_TITLES: Final = {
    "members": "机构 (members)", "households": "农户 (households)", "enterprises": "经营主体 (enterprises)",
}  # fmt: skip
_LEAST: Final = {
    "joint_guarantee": {"households": 2},
    "enterprise_guarantee": {"enterprises": 1},
    "rights_collateral": {"households": 1},
}
"""How many parties an agreement has at least, beside one member."""
_FIELDS: Final = (
    "kind", "region", *_PARTIES, "application_no", "institution", "loan_no", "reports", "document", "from_date",
)  # fmt: skip
_KEPT: Final = Periods("agreement", ("agreement_no",), _FIELDS)


def on_agreement(
    record: Mapping[str, Any], message: Message, transaction: Transaction, _context: Context
) -> Iterable[Draft]:
    """Enter an agreement, or the day on which it ends."""
    with taking(record, message, transaction, persons.ENTER, periods.hold) as taken:
        parties = {name: sorted(set((record[name] or "").split(";")) - {""}) for name in _PARTIES}
        is_new = not _KEPT.known(transaction, [record])
        homes = Homes(transaction, parties["households"])
        for household_no in parties["households"]:
            homes.check(taken, household_no, listed=is_new)
        if record["loan_no"] is not None and record["institution"] is None:
            taken.note(refused_for([reason("HL2001", "institution")]))
        _check_parties(transaction, parties, taken)
        _KEPT.enter(transaction, [(taken, taken.facts | parties)])
    return ()


def cooperates(transaction: Transaction, member: str, asked: Sequence[tuple[str, str, dt.date]]) -> list[bool]:
    """Return for each enterprise whether a cooperation agreement with a member holds for it, in their order.

    Args:
        transaction: in which it is read.
        member: it must be a party.
        asked: number and region of each enterprise, and the day. An agreement that names no enterprise is for all.
    """
    rows = transaction.rows(
        f"""
        SELECT EXISTS (
            SELECT FROM registry.agreement g WHERE g.kind = 'cooperation' AND %(member)s = ANY(g.members)
               AND starts_with(a.region, g.region) AND {HOLDS.format("g", "a.day")}
               AND (g.enterprises = '{{}}' OR a.enterprise_no = ANY(g.enterprises))) AS stands
        FROM unnest(%(enterprises)s::text[], %(regions)s::text[], %(days)s::date[])
             WITH ORDINALITY AS a (enterprise_no, region, day, place)
        ORDER BY place
        """,
        {"member": member}
        | {name: [each[place] for each in asked] for place, name in enumerate(("enterprises", "regions", "days"))},
    )
    return [row["stands"] for row in rows]


def _check_parties(transaction: Transaction, parties: Mapping[str, Sequence[str]], taken: Taken) -> None:
    """Let pass an agreement whose parties are known, and as many as it takes.

    Notes HL1052, the sender is none of them; HL1093, an enterprise is not entered; HL1096, they are too few; HL1099,
    a member does not take part.
    """
    if taken.member.kind in SCOPES_OF and taken.member.code not in parties["members"]:
        what = "不是协议的一方 (it is no party of the agreement)"
        taken.refuse("HL1052", member=taken.member.code, what=what)
    kind = taken.record["kind"]
    for name, least in ({"members": 1} | _LEAST.get(kind, {})).items():
        if len(parties[name]) < least:
            taken.refuse("HL1096", kind=kind, parties=_TITLES[name], least=least)
    for code in parties["members"]:
        check_member(transaction, code, (), taken)
    known = transaction.rows(
        "SELECT enterprise_no FROM registry.enterprise WHERE enterprise_no = ANY(%s)", [list(parties["enterprises"])]
    )
    for number in sorted(set(parties["enterprises"]) - {row["enterprise_no"] for row in known}):
        taken.refuse("HL1093", enterprise_no=number, date=taken.record["from_date"].isoformat())
