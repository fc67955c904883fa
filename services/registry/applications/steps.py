"""Steps: an application is decided where it stands, or withdrawn by who applied."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from huilian.core import money
from huilian.core.error_texts import Bilingual
from huilian.county.members import persons
from huilian.county.procedure.acts import check_kind, check_region
from huilian.county.procedure.state_machine import Refusal
from services.registry.applications.book import Act
from services.registry.applications.states import APPLICATION, COVER, LOAN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from huilian.county.procedure.acts import Taken
    from services.registry.applications.book import Application, Book
    from services.registry.applications.facts import Facts
    from services.registry.applications.states import Path, Stage

__all__ = ["check_above_nought", "check_validity", "concerns", "decide", "release", "withdraw"]

_SAID: Final = (
    "step", "decision", "back_to", "reason", "amount", "term", "annual_rate_percent", "met", "grounds", "opinion",
    "sealed", "document",
)  # fmt: skip
_DAY: Final = dt.timedelta(days=1)
_WITHDRAW: Final = "withdraw"
_WITHDRAWAL: Final = Bilingual("撤回", "a withdrawal")
_OVER: Final = Bilingual("不再办理；需要贷款的请另行申请", "nothing is taken any more; for a loan apply anew")
_IN_STATE: Final = MappingProxyType(
    {
        "returned": Bilingual("请更正后以原编号重新报送申请", "send the application again under its number, corrected"),
        "pending": Bilingual("请等待风险补偿金的答复", "wait for the answer of the fund"),
        **dict.fromkeys(("completed", "refused", "withdrawn", "expired"), _OVER),
    }
)
"""What is to be done in a state in which no member has a step to take."""
_AMOUNT, _TERM = Bilingual("金额", "the amount"), Bilingual("期限", "the term")
_SET: Final = ("amount", "term", "annual_rate_percent")


def decide(book: Book, facts: Facts, steps: Sequence[Taken]) -> int:
    """Take steps of applications, in their order; return how many say something new.

    What is wrong with a step is noted with it, and it changes nothing. The same step again changes nothing.
    """
    _read(book, steps)
    judged = [(application, taken) for taken in steps if (application := _to_be_judged(book, taken)) is not None]
    borrowers = {application.key for application, _ in judged}
    book.read((), borrowers)
    facts.read(borrowers)
    facts.ask(judged, book)
    facts.ask_consents([(each, taken.date) for taken in steps if (each := book.get(taken.record["application_no"]))])
    return sum(_decide(book, facts, taken) for taken in steps)


def _to_be_judged(book: Book, taken: Taken) -> Application | None:
    """Return the application that a step approves, where eligibility is judged then; None where it is not."""
    application, record = book.get(taken.record["application_no"]), taken.record
    if application is None or record["decision"] != "approve":
        return None
    if book.lacks(application):
        return None
    path = book.path(application)
    says_more = record["grounds"] is not None or any(record[name] is not None for name in _SET)
    return application if says_more or path.place(record["step"]) == path.asks_at else None


def withdraw(book: Book, withdrawals: Sequence[Taken]) -> int:
    """Withdraw applications; return how many say something new. What is wrong with one is noted with it."""
    _read(book, withdrawals)
    return sum(_withdraw(book, taken) for taken in withdrawals)


def _read(book: Book, steps: Sequence[Taken]) -> None:
    book.read({taken.record["application_no"] for taken in steps})


def _found(book: Book, taken: Taken) -> Application | None:
    """Return the application that an act is about, where it concerns its member.

    Notes HL1072, there is none; HL1052, it lies in another region or is for another bank.
    """
    application = book.get(taken.record["application_no"])
    if application is None:
        taken.refuse("HL1072", application_no=taken.record["application_no"])
        return None
    return application if concerns(taken, application.region, application.institution) else None


def concerns(taken: Taken, region: str, institution: str) -> bool:
    """Return whether an application concerns the member that took an act: nothing is told of what others decide.

    Notes HL1052, it lies in another region or is for another bank.
    """
    known = len(taken.refusals)
    taken.check(check_region, taken.member, region)
    if taken.member.kind == "bank" and institution != taken.member.code:
        taken.refuse("HL1052", member=taken.member.code, what=Bilingual("不是向本机构的申请", "it is for another bank"))
    return len(taken.refusals) == known


def check_above_nought(taken: Taken) -> None:
    """Note HL1082, an amount or a term that is none."""
    for name, what in (("amount", _AMOUNT), ("term", _TERM)):
        if taken.record[name] is not None and taken.record[name] <= 0:
            taken.refuse("HL1082", what=what)


def check_validity(taken: Taken, application: Application) -> bool:
    """Return whether an application is valid still on the day of an act. Notes HL1085, it lapsed before."""
    if not application.has_lapsed(taken.date):
        return True
    assert application.valid_until is not None  # noqa: S101  # narrows the type: it has lapsed
    lapsed = (application.valid_until + _DAY).isoformat()
    taken.refuse("HL1085", application_no=application.application_no, date=lapsed)
    return False


def _stands_elsewhere(taken: Taken, path: Path, application: Application, step: str) -> None:
    """Note HL1073, an application does not stand where a step can be taken, with what to do."""
    state = Bilingual(APPLICATION.states[application.state], application.state.replace("_", " "))
    taken.refuse(
        "HL1073",
        application_no=application.application_no,
        state=state,
        step=_WITHDRAWAL if step == _WITHDRAW else path.called(step),
        what=_what_to_do(path, application, step),
    )


def _what_to_do(path: Path, application: Application, step: str) -> Bilingual:
    """Return what is to be done where a step cannot be taken now."""
    if (what := _IN_STATE.get(application.state)) is not None:
        return what
    place, now = path.place(step), path.place(application.stage)
    if now is None:
        return Bilingual(
            "政策已没有待办的步骤，请撤回后另行申请", "the policy has the step no more: withdraw, and apply anew"
        )
    due = path.stages[now].called
    waits = Bilingual(f"待“{due.chinese}”办理", f"{due.english} is due")
    if place is None and step != _WITHDRAW:
        return Bilingual(f"政策没有此步骤，{waits.chinese}", f"the policy has no such step; {waits.english}")
    if place is not None and place < now:
        return Bilingual(
            f"此步骤已办理，无需重办；{waits.chinese}", f"it was taken, and need not be again; {waits.english}"
        )
    return waits


def _decide(book: Book, facts: Facts, taken: Taken) -> bool:
    application = _found(book, taken)
    if application is None:
        return False
    record = taken.record
    path = book.path_or_bare(application)
    place = path.place(record["step"])
    is_repeat = place is not None and _is_repeat(book, application, taken, path, place)
    if is_repeat or not check_validity(taken, application) or not _is_due(book, taken, path, application):
        return False
    assert place is not None  # noqa: S101  # narrows the type: it is due
    stage = path.stages[place]
    check_kind(taken, stage.by, stage.called)
    _check_decision(taken, path, place)
    _check_hands(book, taken, application, stage)
    if taken.date < application.stage_since:
        taken.refuse("HL1062", date=taken.date.isoformat())
    judged = _as_set(taken, application)
    snapshot: dict[str, Any] | None = None
    if record["decision"] == "approve":
        asks = place == path.asks_at
        if _to_be_judged(book, taken) is not None:
            case = facts.check(taken, judged, book, shown=asks)
            snapshot = {"application": vars(judged), "case": case and vars(case)} if asks else None
        _check_needs(taken, application, stage)
        clause = _asks_consent(book, application, path, stage)
        if clause is not None:
            facts.check_consent(taken, application, clause)
    if taken.refusals:
        return False
    try:
        _go_on(book, taken, application, judged, place=place, snapshot=snapshot)
    except Refusal:
        _stands_elsewhere(taken, path, application, record["step"])
        return False
    return True


def _is_due(book: Book, taken: Taken, path: Path, application: Application) -> bool:
    """Return whether a step can be taken. Notes HL1073, another is due; HL1088, the policy has it no more."""
    step = taken.record["step"]
    if step != application.stage or application.state in {"pending", "returned"}:
        _stands_elsewhere(taken, path, application, step)
        return False
    if (lacking := book.lacks(application)) is not None:
        taken.refuse("HL1088", policy=application.policy, application_no=application.application_no, what=lacking)
        return False
    return True


def _is_repeat(book: Book, application: Application, taken: Taken, path: Path, place: int) -> bool:
    """Return whether a step says once more what stands of it since it became due.

    What led back to it, or to a step before it, set aside what was said: the same words are a new decision.
    """
    if application.stage == taken.record["step"] and application.state != "pending":
        return False
    stands = None
    for act in book.acts(application.application_no):
        back = _leads_back_to(act, path)
        if act.step == taken.record["step"] and act.decision is not None:
            stands = act
        elif back is not None and back <= place:
            stands = None
    return stands is not None and stands.says(taken)


def _leads_back_to(act: Act, path: Path) -> int | None:
    """Return the place to which an act led an application back; None where it did not."""
    if act.move == "send_back":
        return path.place(act.back_to) or 0
    if act.move in {"fund_refuses", "take_back"}:
        return path.place(act.step) or 0
    return 0 if act.move in {"return", "fund_returns"} else None


def _check_decision(taken: Taken, path: Path, place: int) -> None:
    """Note HL1064, a reason is missing; HL1060, it is sent back where it may not be; HL1080, a loan is no message."""
    record, stage = taken.record, path.stages[place]
    if record["decision"] != "approve" and record["reason"] is None:
        taken.refuse("HL1064", decision=record["decision"])
    may = [each.called for each in path.stages[:place] if each.name in stage.back_to]
    is_sent_back = record["decision"] == "send_back"
    if record["back_to"] not in ([each.english for each in may] if is_sent_back else [None]):
        back_to = None if record["back_to"] is None else path.called(record["back_to"])
        listed = "、".join(f"{each.chinese}（{each.english}）" for each in may) or "无"
        names = Bilingual(listed, ", ".join(each.english for each in may) or "none")
        taken.refuse("HL1060", step=stage.called, back_to=back_to or "-", may=names)
    if stage.takes == LOAN and record["decision"] == "approve":
        taken.refuse("HL1080", step=stage.called)


def _check_hands(book: Book, taken: Taken, application: Application, stage: Stage) -> None:
    """Note HL1034, who decides entered the application, or took an earlier step where the policy asks for four eyes."""
    taken.check(persons.check_four_eyes, (application.entered_by, application.entered_person), taken.who)
    if "four_eyes" in stage.needs:
        for act in book.acts(application.application_no):
            if act.person is not None and act.step != stage.name:
                taken.check(persons.check_four_eyes, act.who, taken.who)


def _check_needs(taken: Taken, application: Application, stage: Stage) -> None:
    """Note HL1074, the member's seal is missing, or a signature of who applies."""
    has = {"seal": taken.record["sealed"] == "yes", "signature": application.is_signed}
    for need, called in (("seal", Bilingual("盖章", "a seal")), ("signature", Bilingual("借款人签字", "signatures"))):
        if need in stage.needs and not has[need]:
            taken.refuse("HL1074", step=stage.called, need=called)


def _asks_consent(book: Book, application: Application, path: Path, stage: Stage) -> str | None:
    """Return the clause by which a step rests on a consent to inquiry; None where it does not.

    Reviews do where the stage says so, or the request, or a condition of the loan.
    """
    for each in (stage, path.stages[0]) if stage.is_reviewed else (stage,):
        if "consent" in each.needs:
            return each.clause
    known = {fact: value for fact, value in application.case.situation.items() if value is not None}
    conditions = book.product(application).lists.get("lending.conditions", ()) if stage.is_reviewed else ()
    found = (each.source for each in conditions if each["condition"] == "consent" and each.may_hold(known))
    return next(found, None)


def _as_set(taken: Taken, application: Application) -> Application:
    """Return the application as a step leaves it, with what was found. Notes HL1075 and HL1082, of what it sets."""
    record = taken.record
    check_above_nought(taken)
    for name, what in (("amount", _AMOUNT), ("term", _TERM)):
        given, applied = record[name], getattr(application, name)
        if given is not None and given > applied:
            taken.refuse("HL1075", what=what, applied=money.text(applied) if name == "amount" else applied)
    met = dict.fromkeys(record["met"].split(";"), True) if record["met"] else {}
    grounds = record["grounds"].split(";") if record["grounds"] else []
    return replace(
        application,
        shown=application.shown | met,
        grounds=[*application.grounds, *(each for each in grounds if each not in application.grounds)],
        **{name: record[name] for name in _SET if record[name] is not None},
    )


def _go_on(
    book: Book,
    taken: Taken,
    application: Application,
    judged: Application,
    *,
    place: int,
    snapshot: dict[str, Any] | None,
) -> None:
    """Let an application move as a decision says, to the stage that follows from it."""
    record, path = taken.record, book.path(application)
    stage: str | None = None
    changes: dict[str, Any] = {name: getattr(judged, name) for name in (*_SET, "shown", "grounds")}
    if record["decision"] == "refuse":
        move, changes = "refuse", {"reason": record["reason"], **release(application)}
    elif record["decision"] == "send_back":
        target = path.place(record["back_to"]) or 0
        move, stage = ("send_back", record["back_to"]) if target else ("return", path.stages[0].name)
        # What the fund holds for it is asked for anew where that step is taken again.
        changes = {"reason": record["reason"], **(release(application) if target <= path.asks_at else {})}
    elif path.stages[place].takes == COVER:
        move, stage = path.after_loan(place, "cover")
    elif place == path.asks_at:
        move, stage = "approve_to_reserve", record["step"]
        changes |= {"reservation": "asked", "attempt": application.attempt + 1, "decided": taken.date}
    else:
        following = path.stages[place + 1]
        move, stage = "approve" if following.is_reviewed else "approve_last", following.name
    said = {name: record[name] for name in _SAID}
    act = Act(
        application.application_no,
        move,
        taken.date,
        taken.member.code,
        record["person"],
        taken.message,
        snapshot=snapshot,
        entered=taken.entered,
        **said,
    )
    book.move(application, act, stage, **changes)


def _withdraw(book: Book, taken: Taken) -> bool:
    application = _found(book, taken)
    if application is None:
        return False
    if any(act.says(taken) for act in book.acts(application.application_no) if act.move == "withdraw"):
        return False
    if not check_validity(taken, application):
        return False
    if taken.date < application.stage_since:
        taken.refuse("HL1062", date=taken.date.isoformat())
    if taken.refusals:
        return False
    number, reason = application.application_no, taken.record["reason"]
    said = {"step": application.stage, "reason": reason, "entered": taken.entered}
    act = Act(number, "withdraw", taken.date, *taken.who, taken.message, **said)
    try:
        book.move(application, act, None, reason=reason, **release(application))
    except Refusal:
        _stands_elsewhere(taken, book.path_or_bare(application), application, _WITHDRAW)
        return False
    return True


def release(application: Application) -> dict[str, Any]:
    """Return what changes where the fund need hold nothing for an application any more."""
    return {"reservation": "released"} if application.reservation in {"asked", "held"} else {}
