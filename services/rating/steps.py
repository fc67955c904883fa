"""The steps before a posting: a request, a working group filed, a review decided."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from huilian.core.error_texts import Bilingual
from huilian.core.errors import MessageRefused
from huilian.county.members import persons
from huilian.county.procedure.acts import Taken, check_kind, enter, taking
from huilian.county.procedure.state_machine import Refusal
from huilian.policy.reading import Reading
from services.rating import assessments, consequences, in_force
from services.rating.assessments import Paths
from services.rating.in_force import Route
from services.rating.states import ASSESSMENT, Stage, asks_consent_first, stage_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message

__all__ = ["NEWER", "on_group", "on_request", "on_step", "onward"]

_MAY: Final = Bilingual("政策规定的步骤，见 huilian policy explain", "the steps that huilian policy explain names")
_HUNDRED: Final = 100
_VILLAGE: Final = 12


def on_request(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterable[Draft]:
    """Enter that a household of the roster or an enterprise asks to be rated and consents, where the policy lets it."""
    with taking(record, message, transaction, persons.ENTER, assessments.hold) as taken:
        if not Reading(context.policy, None).value("rating.asked_by_household", {"event": taken.date}):
            taken.refuse("HL1061")
        if record["consent"] != "yes":
            taken.refuse("HL1063", count=1, consents=0)
        if record["borrower"] == "household" and not _is_on_roster(transaction, record):
            taken.refuse("HL1069", borrower_no=record["borrower_no"], region=record["region"])
        enter(
            transaction,
            "rating.request",
            ("request_no",),
            ("borrower", "borrower_no", "region", "consent"),
            taken,
        )
    return ()


def _is_on_roster(transaction: Transaction, record: Mapping[str, Any]) -> bool:
    return bool(
        transaction.value(
            "SELECT true FROM rating.household_change WHERE household_no = %(borrower_no)s"
            " AND (starts_with(region, %(region)s) OR starts_with(%(region)s, region))"
            " GROUP BY region HAVING sum(n) > 0 LIMIT 1",
            record,
        )
    )


def on_group(
    record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context
) -> Iterable[Draft]:
    """File a working group; one without members, or of a village that has too few representatives, is refused."""
    with taking(record, message, transaction, persons.ENTER, assessments.hold) as taken:
        members, representatives = record["members"], record["representatives"]
        minimum = None
        if len(record["region"]) == _VILLAGE:
            minimum = Reading(context.policy, None).value("rating.representatives_minimum", {"event": taken.date})
        minimum = minimum or Decimal(0)
        # Nobody is a share of nobody.
        if not 0 <= representatives <= members or not members or representatives * _HUNDRED < minimum * members:
            facts = {"representatives": representatives, "members": members}
            taken.refuse("HL1053", **facts, minimum=f"{minimum.normalize():f}")
        enter(transaction, "rating.working_group", ("region", "date"), ("members", "representatives", "plan"), taken)
    return ()


def on_step(record: Mapping[str, Any], message: Message, transaction: Transaction, context: Context) -> Iterator[Draft]:
    """Decide a step for one borrower, or for all of a region that stand at it."""
    with taking(record, message, transaction, persons.APPROVE, assessments.hold) as taken:
        _check_decision(taken)
        one = "" if record["borrower_no"] is None else " AND borrower_no = %(borrower_no)s"
        found = in_force.draw(
            transaction,
            "borrower = %(borrower)s AND region LIKE %(region)s || '%%' AND state IN ('collected', 'in_review')"
            f" AND stage = %(step)s{one}",
            taken.facts,
        )
        if not found:
            raise MessageRefused("HL1050", step=record["step"])
        if found != record["count"]:
            taken.refuse("HL1051", stated=record["count"], found=found)
        _check_hands(transaction, taken)
        decided = list(_decide(transaction, context, taken))
    facts = taken.facts | {"revision": assessments.new_revision(transaction)}
    if record["decision"] == "approve":
        in_force.supersede(transaction, facts)
    in_force.route(transaction, decided)
    in_force.note_routes(transaction, facts)
    _set(transaction, facts | {"approves": record["decision"] == "approve"})
    yield from in_force.activate(transaction, context.policy, facts)
    yield from consequences.catch_up(transaction, context, taken.date)


def _decide(transaction: Transaction, context: Context, taken: Taken) -> Iterator[Route]:
    """Yield what a decision comes to for each group of what it is about, where it may be; nothing is written yet.

    Notes HL1068, where the policy has the borrower ask and consent first, and somebody has not.
    """
    record = taken.record
    paths, lacking = Paths(context.policy), 0
    for group in in_force.groups(transaction):
        stages = paths.of(group.case)
        place = stage_named(stages, group.stage)
        if place is None:
            taken.refuse("HL1050", step=record["step"])
            continue
        _check_stage(transaction, stages[place], taken)
        if not place and record["decision"] == "approve" and asks_consent_first(context.policy, group.case):
            lacking += _without_request(transaction, group.number, taken)
        try:
            move, stage = _move(record, stages, place)
            target = ASSESSMENT.after(group.state, move)
        except (MessageRefused, Refusal):
            taken.refuse("HL1060", step=record["step"], back_to=record["back_to"] or "-", may=_MAY)
            continue
        yield Route(group, move, target, stage)
    if lacking:
        taken.refuse("HL1068", lacking=lacking)


def _without_request(transaction: Transaction, place: int, taken: Taken) -> int:
    """Count who of a group of what is decided has not asked by the day of the step."""
    return int(
        transaction.value(
            "SELECT count(*) FROM drawn d WHERE d.place = %(place)s AND NOT EXISTS (SELECT FROM rating.request r"
            " WHERE r.borrower = d.borrower AND r.borrower_no = d.borrower_no AND r.consent = 'yes'"
            " AND r.date <= %(date)s)",
            taken.facts | {"place": place},
        )
    )


def _check_decision(taken: Taken) -> None:
    record = taken.record
    if record["decision"] != "approve" and record["reason"] is None:
        taken.refuse("HL1064", decision=record["decision"])
    if (record["decision"] == "send_back") != (record["back_to"] is not None):
        taken.refuse("HL1060", step=record["step"], back_to=record["back_to"] or "-", may=_MAY)


def _check_hands(transaction: Transaction, taken: Taken) -> None:
    """Let pass a decision by somebody who entered nothing of it, on what was collected and decided by then.

    Notes HL1034, who entered decides; HL1062, it was collected later, or the step before it was taken later. What
    ends a posting is a step, too: the calendar takes it on the day after.
    """
    row = transaction.row(
        "SELECT bool_or(%(me)s = ANY(entered_by)) AS entered, greatest(max(collected_on), (SELECT max(s.date)"
        " FROM rating.step s JOIN drawn d ON d.number = s.assessment)) AS rests_on FROM drawn",
        {"me": ":".join(taken.who)},
    )
    assert row is not None  # noqa: S101  # narrows the type: an aggregate gives a row
    if row["entered"]:
        taken.check(persons.check_four_eyes, taken.who, taken.who)
    if row["rests_on"] > taken.date:
        taken.refuse("HL1062", date=taken.date.isoformat())


def _check_stage(transaction: Transaction, stage: Stage, taken: Taken) -> None:
    """Let pass a step by a member that may take it, with what it needs.

    Notes HL1052, another kind of member takes it; HL1054, no working group is filed; HL1063, somebody has not
    consented; HL1034, she has decided an earlier step.
    """
    check_kind(taken, stage.by, stage.step)
    if taken.record["decision"] != "approve":
        return
    if "composition" in stage.needs and _is_takers(stage, taken):
        region = taken.member.region or taken.record["region"]
        filed = "SELECT true FROM rating.working_group WHERE region = %s AND date <= %s"
        if not transaction.value(filed, [region, taken.date]):
            taken.refuse("HL1054", region=region)
    if "consent" in stage.needs and taken.record["consents"] != taken.record["count"]:
        taken.refuse("HL1063", count=taken.record["count"], consents=taken.record["consents"] or 0)
    if "four_eyes" in stage.needs:
        before = (
            "SELECT true FROM rating.step s JOIN drawn d ON d.number = s.assessment"
            " WHERE (s.member, s.person) = (%s, %s) LIMIT 1"
        )
        if transaction.value(before, list(taken.who)):
            taken.check(persons.check_four_eyes, taken.who, taken.who)


def _is_takers(stage: Stage, taken: Taken) -> bool:
    return not stage.by or taken.member.kind in stage.by


def _move(record: dict[str, Any], stages: tuple[Stage, ...], place: int) -> tuple[str, str | None]:
    """Return the move that a decision is, and the stage that comes next."""
    if record["decision"] == "refuse":
        return "refuse", None
    if record["decision"] == "send_back":
        if record["back_to"] not in stages[place].back_to:
            raise MessageRefused("HL1060", step=record["step"], back_to=record["back_to"], may=_MAY)
        target = stage_named(stages, record["back_to"])
        if target is not None and target >= place:
            raise MessageRefused("HL1060", step=record["step"], back_to=record["back_to"], may=_MAY)
        # What collected it is no review: it begins again.
        return ("return", stages[0].name) if not target else ("send_back", stages[target].name)
    return onward(stages, place, ("approve", "approve_to_post", "approve_last"))


def onward(stages: tuple[Stage, ...], place: int, moves: tuple[str, str, str]) -> tuple[str, str | None]:
    """Return the move to the stage after a place, which is a review, a posting or nothing, and its name."""
    if place + 1 == len(stages):
        return moves[2], None
    following = stages[place + 1]
    return moves[1 if following.is_posting else 0], following.name


def _set(transaction: Transaction, facts: dict[str, Any]) -> None:
    transaction.execute(
        f"""
        UPDATE rating.assessment a SET stage = r.stage, revision = %(revision)s,
               state = CASE WHEN r.target = 'collected' AND {NEWER} THEN 'superseded' ELSE r.target END,
               reason = coalesce(%(reason)s, a.reason),
               approved_on = CASE WHEN r.target = 'collected' THEN NULL
                                  WHEN %(approves)s THEN coalesce(a.approved_on, %(date)s) ELSE a.approved_on END
        FROM drawn d JOIN routed r USING (place) WHERE a.number = d.number AND r.target <> 'active'
        """,
        facts,
    )


NEWER: Final = """EXISTS (
    SELECT FROM rating.assessment n WHERE n.borrower = a.borrower AND n.borrower_no = a.borrower_no
       AND n.number <> a.number AND n.state IN ('incomplete', 'collected'))"""
"""The condition that newer indicators than those of `a` were collected: it then gives way to them."""
