"""Steps: a case is decided where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from marshmallow import ValidationError

from huilian.core.error_texts import Bilingual
from huilian.core.errors import ConfigurationError
from huilian.county.members import persons
from huilian.county.messages.notices import Notice
from huilian.county.procedure.acts import check_kind, check_region
from huilian.policy.tables import MissingFactError
from schemas.compensations import CASE_STATE
from services.risk_fund.compensation import facts
from services.risk_fund.compensation.book import Act
from services.risk_fund.compensation.reckoning import reckon
from services.risk_fund.compensation.states import PAYMENT, REVIEW

if TYPE_CHECKING:
    from huilian.county.procedure.acts import Taken
    from services.risk_fund.compensation.book import Book, Case
    from services.risk_fund.compensation.states import Path, Stage

__all__ = ["concerned", "decide", "stands_elsewhere"]

_SAID: Final = ("step", "decision", "back_to", "reason", "document", "date")


def concerned(book: Book, taken: Taken) -> Case | None:
    """Return the case that an act is about, where it concerns its member.

    Notes HL1165, there is none; HL1052, it lies in another region or is another bank's.
    """
    case = book.get(taken.record["claim_no"])
    if case is None:
        taken.refuse("HL1165", claim_no=taken.record["claim_no"])
        return None
    before = len(taken.refusals)
    taken.check(check_region, taken.member, case.region)
    if taken.member.kind == "bank" and case.institution != taken.member.code:
        what = Bilingual("不是本行的贷款", "the loan is another bank's")
        taken.refuse("HL1052", member=taken.member.code, what=what)
    return case if len(taken.refusals) == before else None


def stands_elsewhere(taken: Taken, case: Case, what: Bilingual | str) -> None:
    """Note HL1166: a case is in no state for an act."""
    state = Bilingual(CASE_STATE[case.state], case.state.replace("_", " "))
    taken.refuse("HL1166", claim_no=case.claim_no, state=state, step=what, due=case.stage or "-")


def decide(book: Book, taken: Taken) -> bool:
    """Take a step of a case; return whether that says something new. What is wrong is noted with it.

    Notes HL1034, whose hands; HL1052, who; HL1060 and HL1064, of the decision; HL1062, the day; HL1074, what it needs;
    HL1165 and HL1166, the case; HL1167, an insurer has not decided; HL1168 and HL1169, the policy.
    """
    case, record = concerned(book, taken), taken.record
    if case is None:
        return False
    path = book.path(case)
    place = path.place(record["step"])
    if case.state != "in_review" or record["step"] != case.stage or place is None:
        if not _is_repeat(book, case, taken):
            stands_elsewhere(taken, case, path.called(record["step"]))
        return False
    stage = path.stages[place]
    check_kind(taken, stage.by, stage.called)
    _check_decision(taken, path, place)
    _check_hands(book, taken, case, stage)
    if taken.date < case.stage_since:
        taken.refuse("HL1062", date=taken.date.isoformat())
    changes: dict[str, Any] = {}
    if record["decision"] == "approve":
        _check_needs(taken, case, stage)
        if path.is_last_review(place):
            changes = _shared(book, taken, case)
    if taken.refusals:
        return False
    _go_on(book, taken, case, path, place=place, changes=changes)
    return True


def _is_repeat(book: Book, case: Case, taken: Taken) -> bool:
    """Return whether a step says once more what was said of it last."""
    row = book.transaction.row(
        "SELECT step, decision, back_to, reason, document, date, member, person FROM risk_fund.compensation_step"
        " WHERE claim_no = %s AND step = %s AND decision IS NOT NULL ORDER BY number DESC LIMIT 1",
        [case.claim_no, taken.record["step"]],
    )
    if row is None or (row["member"], row["person"]) != taken.who:
        return False
    return all(row[name] == taken.record[name] for name in _SAID)


def _check_decision(taken: Taken, path: Path, place: int) -> None:
    record, stage = taken.record, path.stages[place]
    if record["decision"] != "approve" and record["reason"] is None:
        taken.refuse("HL1064", decision=record["decision"])
    may = [each for each in path.stages[:place] if each.name in stage.back_to]
    allowed = [each.name for each in may] if record["decision"] == "send_back" else [None]
    if record["back_to"] not in allowed:
        listed = "、".join(f"{each.title}（{each.name}）" for each in may) or "无"
        names = Bilingual(listed, ", ".join(each.name for each in may) or "none")
        taken.refuse("HL1060", step=stage.called, back_to=path.called(record["back_to"]), may=names)


def _check_hands(book: Book, taken: Taken, case: Case, stage: Stage) -> None:
    """Note HL1034, who decides entered the claim, or took an earlier step where the policy asks for four eyes."""
    if case.entered_person is not None:
        taken.check(persons.check_four_eyes, (case.entered_member, case.entered_person), taken.who)
    if "four_eyes" in stage.needs:
        for row in book.transaction.rows(
            "SELECT DISTINCT member, person FROM risk_fund.compensation_step"
            " WHERE claim_no = %s AND person IS NOT NULL AND step IS DISTINCT FROM %s ORDER BY 1, 2",
            [case.claim_no, stage.name],
        ):
            taken.check(persons.check_four_eyes, (row["member"], row["person"]), taken.who)


def _check_needs(taken: Taken, case: Case, stage: Stage) -> None:
    """Note HL1074, the member's seal is missing, or the signature of who asked."""
    has = {"seal": taken.record["sealed"] == "yes", "signature": case.signed == "yes"}
    for need, called in (("seal", Bilingual("盖章", "a seal")), ("signature", Bilingual("借款人签字", "signatures"))):
        if need in stage.needs and not has[need]:
            taken.refuse("HL1074", step=stage.called, need=called)


def _shared(book: Book, taken: Taken, case: Case) -> dict[str, Any]:
    """Return what the last approval settles: who bears how much, after what insurers paid.

    Notes HL1167, an insurer has not decided; HL1169, the policy does not cover the loss; HL1168, it asks for more.
    """
    insured = facts.insured(book.transaction, case.loan_no, case.household_no)
    if insured.undecided:
        taken.refuse("HL1167", number=", ".join(insured.undecided))
        return {}
    try:
        loss, changes = reckon(book, case, insured)
    except (MissingFactError, ConfigurationError, ValidationError) as error:
        taken.refuse("HL1168", policy=case.policy, what=Bilingual(str(error), str(error)))
        return {}
    for each in loss.refusals:
        what = Bilingual(f"{each.chinese}（{each.clause}）", f"{each.code.replace('_', ' ')} ({each.clause})")
        taken.refuse("HL1169", claim_no=case.claim_no, what=what)
    return changes | {"decided": taken.date}


def _go_on(book: Book, taken: Taken, case: Case, path: Path, *, place: int, changes: dict[str, Any]) -> None:
    record = taken.record
    said = {name: record[name] for name in ("step", "decision", "back_to", "reason", "document")}
    stage: Stage | None = None
    if record["decision"] == "refuse":
        move, changes = "refuse", {"reason": record["reason"], "decided": taken.date}
    elif record["decision"] == "send_back":
        target = path.place(record["back_to"]) or 0
        move, stage, changes = "send_back" if target else "return", path.stages[target], {"reason": record["reason"]}
    elif not path.is_last_review(place):
        move = "approve"
        stage = next(each for each in path.stages[place + 1 :] if each.takes == REVIEW)
    else:
        book.change(case, **changes)
        move = "approve_last" if case.unpaid else "approve_settled"
        stage = path.first(PAYMENT) if case.unpaid else None
        changes = {}
    amount = case.covered if move in {"approve_last", "approve_settled"} else None
    book.move(case, Act.of(taken, move, amount=amount, **said), stage, **changes)
    if case.state == "approved" and case.fund_due is not None:
        book.change(case, due=case.fund_due)
    if move in {"refuse", "approve_last", "approve_settled"}:
        book.tell_result(case)
    if move == "return":
        text = f"申请 {case.claim_no} 退回补正：{record['reason']}"
        notice = Notice("does_not_match", text, case.claim_no, region=case.region)
        for member in sorted({case.institution, case.entered_member}):
            book.notify(member, notice)
