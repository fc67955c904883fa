"""Asking for compensation: by the bank, one by one or in a list, or by the borrower on form 附件2 (篇三)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from marshmallow import ValidationError

from huilian.core import money
from huilian.core.error_texts import Bilingual
from huilian.core.errors import ConfigurationError
from huilian.county.procedure.acts import check_kind, check_region
from huilian.policy.reading import Reading
from huilian.policy.tables import MissingFactError
from services.risk_fund.compensation import facts
from services.risk_fund.compensation.book import OWN, Act, Case
from services.risk_fund.compensation.states import REVIEW

if TYPE_CHECKING:
    from huilian.county.procedure.acts import Taken
    from huilian.policy.loss import Loss, LossCase
    from huilian.policy.policies import Policy, Product
    from services.risk_fund.compensation.book import Book
    from services.risk_fund.compensation.facts import Loan
    from services.risk_fund.compensation.states import Path

__all__ = ["ask", "find_known_loan", "needed_evidence", "plain", "recovered_since"]

_LOST: Final = frozenset({"overdue", "written_off"})
_OF_THE_ACT: Final = frozenset({"line", "sequence", "overdue_days", "person", "borrower_no"})
_STATIONS: Final = ("county", "township", "village")


def ask(book: Book, taken: Taken) -> bool:
    """Enter a case, or one again that was sent back; return whether that says something new.

    What is wrong with the claim is noted with it. One that the policy does not cover becomes a case that is refused,
    with all reasons.

    Notes HL1052, the loan is another's; HL1059, the number is taken; HL1160 to HL1164, HL1170 and HL1171, of the loan,
    the borrower and the papers; HL1074, a signature; HL1168, the policy.
    """
    known = book.get(taken.record["claim_no"])
    if known is not None and _is_repeat(known, taken):
        return False
    loan = find_known_loan(book, taken)
    if known is not None and (known.state, known.loan_no) != ("returned", taken.record["loan_no"]):
        taken.refuse("HL1059", number=known.claim_no)
    found = None if loan is None else _policy_of(book, taken, loan)
    if loan is None or found is None:
        return False
    case, lost = _case(book, taken, loan, *found)
    try:
        path = book.path(case)
        _check(book, taken, case, loan, path, again=known is not None)
        loss = None if taken.refusals else book.share(case, lost)
    except (MissingFactError, ConfigurationError, ValidationError) as error:
        taken.refuse("HL1168", policy=case.policy, what=Bilingual(str(error), str(error)))
        return False
    if loss is not None:
        _enter(book, taken, case, path, loss, again=known is not None)
    return loss is not None


def _enter(book: Book, taken: Taken, case: Case, path: Path, loss: Loss, *, again: bool) -> None:
    said = Act.of(taken, "resubmit" if again else "submit", step=path.stages[0].name, snapshot=_said(taken))
    first = next(stage for stage in path.stages if stage.takes == REVIEW)
    case.stage, case.due = first.name, book.last_day(taken.date, first)
    book.enter(case, said)
    if loss.refusals:
        case.refusals, case.decided = [each.as_json() for each in loss.refusals], taken.date
        case.calculation = loss.as_json()
        why = "；".join(each.chinese for each in loss.refusals)
        book.move(case, Act("refuse", taken.date, OWN, message=taken.message, reason=why), None, reason=why)
        book.tell_result(case)


def find_known_loan(book: Book, taken: Taken) -> Loan | None:
    """Return the loan that an act is about, where it concerns its member.

    Notes HL1052, it is another's; HL1160, its bank's ledgers do not have it.
    """
    record = taken.record
    if taken.member.kind == "bank" and record["institution"] != taken.member.code:
        what = Bilingual("不是本行的贷款", "the loan is another bank's")
        taken.refuse("HL1052", member=taken.member.code, what=what)
        return None
    loan = facts.find_loan(book.transaction, record["institution"], record["loan_no"])
    if loan is None:
        taken.refuse("HL1160", institution=record["institution"], loan_no=record["loan_no"])
        return None
    before = len(taken.refusals)
    taken.check(check_region, taken.member, loan.region)
    return loan if len(taken.refusals) == before else None


def _policy_of(book: Book, taken: Taken, loan: Loan) -> tuple[Policy, Product] | None:
    """Return by which policy a loan was lent. Notes HL1168, none has it."""
    meant = book.context.policy_product(loan.institution, loan.product)
    policy = book.context.policy if meant is None else book.policy(meant[0])
    product = policy.product(meant and meant[1], borrower=loan.borrower, signed=loan.contracted)
    # Where none was open on that day, the first says what holds.
    product = product or policy.product(None, borrower=loan.borrower)
    if product is None:
        what = Bilingual(f"没有借据 {loan.loan_no} 所属的产品", f"it has no product for the loan {loan.loan_no}")
        taken.refuse("HL1168", policy=policy.name, what=what)
        return None
    return policy, product


def _case(book: Book, taken: Taken, loan: Loan, policy: Policy, product: Product) -> tuple[Case, LossCase]:
    record = taken.record
    insured = facts.insured(book.transaction, loan.loan_no, loan.household_no)
    # What the bank holds itself is not made good, though no insurer has told of it yet.
    insurance_paid = max(insured.paid, record["insurance_paid"])
    asked = record | {
        "applied": taken.date,
        "insurance_paid": insurance_paid,
        "recovered_before": recovered_since(book, loan.institution, loan.loan_no, taken.date)[0],
    }
    lost = facts.loss_case(book.transaction, loan, product, asked)
    case = Case(
        **{name: record[name] for name in (
            "claim_no", "institution", "loan_no", "filed_by", "overdue_since", "principal", "interest", "cause",
            "collections", "evidence", "signed",
        )},
        borrower=loan.borrower,
        borrower_no=loan.household_no or record["borrower_no"],
        household_no=loan.household_no,
        region=loan.region,
        policy=policy.name,
        policy_version=policy.version,
        product=product.name,
        entered_member=taken.member.code,
        entered_person=record["person"],
        message=taken.message,
        applied=taken.date,
        entered=taken.entered,
        insurance_claimed=record["insurance_paid"],
        insurance_paid=insurance_paid,
        insurance_policy_no=insured.policy_no,
        insurance_claim_no=insured.claim_no,
        recovered_before=lost.recovered_before,
        state="in_review",
        stage=None,
        stage_since=taken.date,
        facts=plain(lost),
        calculation={"insurers": list(insured.insurers)},
    )  # fmt: skip
    return case, lost


def plain(lost: LossCase) -> dict[str, Any]:
    """Return a case of the policy in the form in which `huilian.policy.loss.CASE` reads it."""
    # What is not known of a grade cannot be said in JSON: it is left out.
    return {name: _plain(value) for name, value in asdict(lost).items() if value != ""}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return money.text(value)
    return value.isoformat() if isinstance(value, dt.date) else value


def recovered_since(book: Book, institution: str, loan_no: str, applied: dt.date) -> tuple[Decimal, dt.date | None]:
    """Return what was recovered of a loan on the day of its claim and later, and the last day of that."""
    row = book.transaction.row(
        "SELECT coalesce(sum(principal + interest), 0.00) AS amount, max(recovered_date) AS day FROM risk_fund.recovery"
        " WHERE institution = %s AND loan_no = %s AND recovered_date >= %s",
        [institution, loan_no, applied],
    )
    assert row is not None  # noqa: S101  # narrows the type: an aggregate has a row
    return row["amount"], row["day"]


def _check(book: Book, taken: Taken, case: Case, loan: Loan, path: Path, *, again: bool) -> None:
    record, request = taken.record, path.stages[0]
    number = record["borrower_no"]
    if (loan.household_no is not None and number not in {None, loan.household_no}) or case.borrower_no is None:
        taken.refuse("HL1170", loan_no=loan.loan_no, borrower_no=number or "-")
    if loan.status not in _LOST:
        taken.refuse("HL1161", loan_no=loan.loan_no)
    if record["principal"] > loan.balance:
        amounts = {"amount": money.text(record["principal"]), "there": money.text(loan.balance)}
        taken.refuse("HL1162", loan_no=loan.loan_no, **amounts)
    most = loan.most_interest(taken.date)
    if most is not None and record["interest"] > most:
        amounts = {"amount": money.text(record["interest"]), "most": money.text(most)}
        taken.refuse("HL1175", loan_no=loan.loan_no, **amounts)
    if record["overdue_since"] > taken.date:
        taken.refuse("HL1062", date=record["overdue_since"].isoformat())
    other = None if again else book.of_loan(loan.institution, loan.loan_no)
    if other is not None and other.claim_no != case.claim_no:
        taken.refuse("HL1163", loan_no=loan.loan_no, claim_no=other.claim_no)
    _check_who_asks(book, taken, case)
    if "signature" in request.needs and record["signed"] != "yes":
        taken.refuse("HL1074", step=request.called, need=Bilingual("借款人签字", "signatures"))
    named = {each.strip() for each in re.split("[;；]", record["evidence"] or "")}
    missing = [each for each in needed_evidence(book, case, path) if each not in named]
    # A list names papers in its sender's own words, or has no column for them: reviewers look at them.
    if missing and "line" not in record:
        taken.refuse("HL1164", what="、".join(missing))


def needed_evidence(book: Book, case: Case, path: Path) -> list[str]:
    """Return the papers that the policy asks for."""
    return list(dict.fromkeys((*path.stages[0].evidence, *(_read(book, case, "loss.evidence") or ()))))


def _check_who_asks(book: Book, taken: Taken, case: Case) -> None:
    """Note HL1052 and HL1171: a bank asks for its own loss, a station enters the borrower's own application."""
    if case.filed_by == "bank":
        check_kind(taken, ("bank",), Bilingual("银行的风险补偿申请", "a claim of a bank"))
        return
    check_kind(taken, _STATIONS, Bilingual("借款人的风险补偿申请", "a claim of a borrower"))
    if case.filed_by != case.borrower or _read(book, case, "loss.filed_by") != "household":
        taken.refuse("HL1171", policy=case.policy)


def _read(book: Book, case: Case, rule: str) -> Any:  # noqa: ANN401  # of its kind
    lost = book.loss_case(case)
    situation: dict[str, Any] = {"signed": lost.signed, "event": lost.event, "due": lost.due, "borrower": lost.kind}
    situation |= {"cause": lost.cause, "amount": lost.amount, "term": lost.term, "bank": lost.institution}
    situation |= {"overdue_days": lost.overdue_days, "household_kind": lost.household_kind}
    situation |= {"guaranteed": "yes" if lost.guaranteed else "no", "grade": None}
    situation |= {"region_list": book.policy(case.policy).vocabulary.region_list_of(lost.region)}
    return Reading(book.policy(case.policy), book.product(case)).value(rule, situation)


def _is_repeat(case: Case, taken: Taken) -> bool:
    """Return whether a record says once more what the case was entered by."""
    names = {"date": "applied", "insurance_paid": "insurance_claimed"}
    said = {names.get(name, name): value for name, value in taken.record.items() if name not in _OF_THE_ACT}
    same = all(getattr(case, name) == value for name, value in said.items())
    return same and case.state != "returned" and case.entered_member == taken.member.code


def _said(taken: Taken) -> dict[str, Any]:
    """Return what a record says, in the form in which it is kept."""
    return {name: _plain(value) for name, value in taken.record.items() if name not in _OF_THE_ACT}
