"""What can be asked of subsidies: what is owed and what became of it, how a loan's came about, and who waits."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma

from huilian.cli import screen
from huilian.core import money as fen
from huilian.core.errors import UsageError
from huilian.county.answer_fields import coded, count, money, nested, text
from huilian.county.answer_fields import date as day
from huilian.county.queries import INSTITUTION, REGION, Parameter, Query
from schemas.stories import labelled, story_told_by
from schemas.subsidies import PERIOD, SUBSIDY_STATE
from services.subsidy.comparison import Run, scope_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rich.console import RenderableType

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from services.subsidy.cases import Scope
    from services.subsidy.comparison import Found

__all__ = ["QUERIES"]

LOAN: Final = Parameter(
    "loan",
    "借据号",
    "the loan's number",
    metavar="NUMBER",
    example="A1",
    required=True,
    positional=True,
    is_subject=True,
)
PERIOD_ASKED: Final = Parameter(
    "period", "结算期：年、半年、季或月", "year, half-year, quarter or month", metavar="YYYY-QN", example="2021-Q2"
)
STATE: Final = Parameter("state", "只看该状态的", "in this state only", choices=tuple(SUBSIDY_STATE))


class SubsidyReason(ma.Schema):
    """Why less is paid, or nothing."""

    code = text("代码")
    chinese = text("原因")
    english = text("原因（英文）")
    clause = text("依据", "Of the plan; empty where the case itself is the reason.")


class SubsidyRow(ma.Schema):
    """The subsidy of one loan and settlement period, as it stands."""

    number = count("序号")
    institution = text("贷款银行")
    loan_no = text("借据号")
    household_no = text("户编号", allow_none=True)
    region = text("行政区划代码")
    period = text("结算期", "As its run names it.")
    period_start = day("计息起日")
    period_end = day("计息止日", "The day after the last.")
    run_no = text("核算编号")
    policy = text("政策")
    product = text("政策产品")
    asked = money("申请金额", "Null: nobody asked.", allow_none=True)
    own = money("核算金额", "Of an adjustment: what is added to an earlier period, or taken off.")
    difference = money("申请与核算之差", "Asked less computed.", allow_none=True)
    waiting = money("等待金额", "What waits for money.")
    approved = money("核定金额", allow_none=True)
    paid = money("已拨付金额")
    status = coded("状态", SUBSIDY_STATE)
    adjusts = count("所调整的序号", "The subsidy whose period it corrects.", allow_none=True)
    estimated = ma.fields.Boolean(
        required=True, metadata={"zh": "是否预计", "description": "Before the period was over."}
    )
    reasons = text("原因", 'Codes, joined by ";".')


class PreviewRow(ma.Schema):
    """What a run would find for one loan and settlement period now."""

    institution = text("贷款银行")
    loan_no = text("借据号")
    household_no = text("户编号", allow_none=True)
    period_start = day("计息起日")
    period_end = day("计息止日", "The day after the last.")
    policy = text("政策")
    product = text("政策产品")
    asked = money("申请金额", allow_none=True)
    own = money("核算金额")
    difference = money("申请与核算之差", "Asked less computed.", allow_none=True)
    waiting = money("等待金额")
    status = coded("状态", SUBSIDY_STATE)
    adjusts = count("所调整的序号", allow_none=True)
    reasons = text("原因", 'Codes, joined by ";".')


class QueueRow(ma.Schema):
    """One subsidy that waits for money, in the order of filing."""

    place = count("位次")
    filed = count("申报次序")
    institution = text("贷款银行")
    loan_no = text("借据号")
    household_no = text("户编号", allow_none=True)
    region = text("行政区划代码")
    policy = text("政策")
    product = text("政策产品")
    period_start = day("计息起日")
    period_end = day("计息止日")
    waiting = money("等待金额")
    needed = money("累计金额", "What it and all before it need.")


class SubsidyStep(ma.Schema):
    """What became of it, step by step."""

    move = text("事项")
    status = coded("状态", SUBSIDY_STATE)
    date = day("日期")
    entered = day("录入日期")
    member = text("机构")
    person = text("经办人", allow_none=True)
    message = text("报文编号", allow_none=True)
    reason = text("理由", allow_none=True)


class ShownClaim(ma.Schema):
    """What was asked, and in which message."""

    filed = count("申报次序")
    member = text("申报机构")
    date = day("申报日期")
    period_start = day("计息起日")
    period_end = day("计息止日")
    amount = money("申请金额")
    message = text("报文编号")
    line = count("行号", allow_none=True)


class ShownItem(SubsidyRow):
    """One settlement period of a loan: segments, reasons, the rules that were read, and its story."""

    by_payer = ma.fields.Dict(required=True, metadata={"zh": "承担方"})
    segments = ma.fields.List(ma.fields.Dict(), required=True, metadata={"zh": "分段"})
    grounds = nested(SubsidyReason, "原因", many=True)
    parameters = ma.fields.List(ma.fields.Dict(), required=True, metadata={"zh": "所依据的规定"})
    steps = nested(SubsidyStep, "经过", many=True)


class LoanSubsidies(ma.Schema):
    """The subsidies of a loan."""

    loan_no = text("借据号")
    items = nested(ShownItem, "各期", many=True)
    claims = nested(ShownClaim, "申报", many=True)


_ITEMS: Final = """
    SELECT i.*, coalesce(o.period, r.period) AS period, i.asked - i.own AS difference, i.state AS status,
           coalesce((SELECT string_agg(e ->> 'code', ';') FROM jsonb_array_elements(i.reasons) e), '') AS codes
    FROM subsidy.item i JOIN subsidy.run r USING (run_no)
    LEFT JOIN subsidy.item a ON a.number = i.adjusts LEFT JOIN subsidy.run o ON o.run_no = a.run_no
    WHERE i.state <> 'replaced' AND starts_with(i.region, %(region)s)
      AND i.institution = coalesce(%(institution)s, i.institution)
"""
_PLAIN: Final = tuple(SubsidyRow().fields)


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(row["codes" if name == "reasons" else name]) for name in _PLAIN}


def _value(value: Any) -> Any:  # noqa: ANN401  # whatever a column holds
    if isinstance(value, dt.date):
        return value.isoformat()
    return fen.text(value) if hasattr(value, "as_tuple") else value


def _scope(period: str | None) -> dict[str, Any]:
    if period is None:
        return {"since": None, "until": None}
    scope = _checked(period)
    return {"since": scope.since, "until": scope.until}


def _checked(period: str | None, institution: str | None = None) -> Scope:
    if period is None or not re.match(PERIOD, period):
        raise UsageError("HL7011", name="period", what="2021-Q2, 2021-06, 2021-H1, 2021")
    return scope_of(period, institution)


def _subsidies(
    transaction: Transaction,
    *,
    region: str | None = None,
    institution: str | None = None,
    period: str | None = None,
    state: str | None = None,
) -> Iterator[dict[str, Any]]:
    facts = {"region": region or "", "institution": institution, "state": state, **_scope(period)}
    rows = transaction.stream(
        f"{_ITEMS} AND i.state = coalesce(%(state)s, i.state)"
        " AND (%(since)s::date IS NULL OR (r.since >= %(since)s AND r.until <= %(until)s)) ORDER BY i.number",
        facts,
    )
    return map(_row, rows)


def _shown(
    transaction: Transaction, *, loan: str | None = None, region: str | None = None, institution: str | None = None
) -> dict[str, Any]:
    facts = {"region": region or "", "institution": institution, "loan": loan}
    found = []
    for row in transaction.rows(f"{_ITEMS} AND i.loan_no = %(loan)s ORDER BY i.period_end, i.number", facts):
        steps = transaction.rows(
            "SELECT move, state AS status, date, entered, member, person, message, reason FROM subsidy.item_step"
            " WHERE item = %s ORDER BY number",
            [row["number"]],
        )
        parameters = transaction.value("SELECT parameters FROM subsidy.reading WHERE number = %s", [row["reading"]])
        found.append(
            _row(row)
            | {
                "by_payer": row["by_payer"],
                "segments": row["segments"],
                "grounds": row["reasons"],
                "parameters": parameters or [],
                "steps": [{name: _value(value) for name, value in step.items()} for step in steps],
            }
        )
    claims = transaction.rows(
        "SELECT filed, member, date, period_start, period_end, amount, message, line FROM subsidy.claim c"
        " WHERE loan_no = %(loan)s AND institution = coalesce(%(institution)s, institution)"
        " AND (%(region)s = '' OR EXISTS (SELECT FROM subsidy.loan_step l WHERE l.institution = c.institution"
        "      AND l.loan_no = c.loan_no AND starts_with(l.region, %(region)s))) ORDER BY filed",
        facts,
    )
    shown = [{name: _value(value) for name, value in claim.items()} for claim in claims]
    return {"loan_no": loan, "items": found, "claims": shown}


def _show(document: Mapping[str, Any], _asked: object) -> Iterable[RenderableType]:
    """Yield what people see: the periods, the segments of each, and why it is less than was asked."""
    cells = [
        [
            item["period"], item["period_start"], item["period_end"], item["asked"] or "-", item["own"],
            item["approved"] or "-", item["paid"], SUBSIDY_STATE[item["status"]],
            "；".join(each["chinese"] for each in item["grounds"]),
        ]
        for item in document["items"]
    ]  # fmt: skip
    headings = ("结算期", "起", "止", ">申请", ">核算", ">核定", ">已付", "状态", "原因")
    yield screen.table(headings, cells, title=f"贴息 {document['loan_no']}")
    segments = [
        [item["period"], each["from"], each["to"], str(each["days"]), each["principal"], each["rate_percent"],
         each["amount"], _BY[each["balance_by"]]]
        for item in document["items"] for each in item["segments"]
    ]  # fmt: skip
    if segments:
        yield screen.table(("结算期", "起", "止", ">天数", ">本金", ">利率%", ">贴息", "余额依据"), segments)
    steps = [
        [item["period"], step["date"], step["move"], SUBSIDY_STATE.get(step["status"], step["status"]),
         step["member"], step["person"] or "", step["reason"] or ""]
        for item in document["items"] for step in item["steps"]
    ]  # fmt: skip
    if steps:
        yield screen.table(("结算期", "日期", "事项", "状态", "机构", "经办人", "理由"), steps)


_BY: Final = {"contract": "合同", "ledger": "台账", "journal": "还款流水"}


def _preview(
    transaction: Transaction,
    *,
    context: Context,
    period: str | None = None,
    region: str | None = None,
    institution: str | None = None,
) -> Iterator[dict[str, Any]]:
    scope = _checked(period, institution)
    run = Run(transaction, context, scope, context.clock.today())
    # Caps and budgets are the county's: all is computed, and what lies in the region is shown.
    return (_previewed(found) for found in run.found() if (found.loan.region or run.county).startswith(region or ""))


def _previewed(found: Found) -> dict[str, Any]:
    difference = None if found.asked is None else found.asked - found.own
    return {
        "institution": found.loan.institution, "loan_no": found.loan.loan_no, "household_no": found.loan.household_no,
        "period_start": found.start.isoformat(), "period_end": found.end.isoformat(), "policy": found.policy,
        "product": found.product, "asked": _value(found.asked), "own": _value(found.own),
        "difference": _value(difference), "waiting": _value(found.waiting), "status": found.state,
        "adjusts": found.adjusts, "reasons": ";".join(reason["code"] for reason in found.reasons),
    }  # fmt: skip


def _queue(
    transaction: Transaction, *, region: str | None = None, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    rows = transaction.stream(
        "SELECT * FROM (SELECT row_number() OVER w AS place, i.filed, i.institution, i.loan_no, i.household_no,"
        " i.region, i.policy, i.product, i.period_start, i.period_end, i.waiting, sum(i.waiting) OVER w AS needed"
        " FROM subsidy.item i WHERE i.state = 'waiting' WINDOW w AS (PARTITION BY policy, product ORDER BY filed)) q"
        " WHERE starts_with(region, %(region)s) AND institution = coalesce(%(institution)s, institution)"
        " ORDER BY policy, product, place",
        {"region": region or "", "institution": institution},
    )
    return ({name: _value(value) for name, value in row.items()} for row in rows)


_STORY: Final = f"""
    SELECT s.date AS "on", 70 + row_number() OVER (ORDER BY s.number) AS rank, i.region, i.institution,
           CASE WHEN i.adjusts IS NULL THEN '贴息' ELSE '贴息调整' END AS what, i.loan_no AS number,
           coalesce(nullif(s.paid, 0), s.approved, i.own) AS amount,
           format('%%s 至 %%s：%%s', i.period_start, i.period_end - 1, {labelled("s.state", SUBSIDY_STATE)}) AS state,
           NULL::integer AS submission, NULL::integer AS sequence, NULL::integer AS line, s.message AS said_in,
           s.entered
    FROM subsidy.item_step s JOIN subsidy.item i ON i.number = s.item
    WHERE i.household_no = %(household)s AND s.state <> 'replaced' AND i.state <> 'replaced'
"""

QUERIES: Final = (
    story_told_by("subsidy", _STORY, message="coalesce(h.said_in, p.message)"),
    Query(
        "subsidy_preview",
        _preview,
        PreviewRow,
        "试算一个结算期的贴息：每笔应贴多少，与申报相差多少；不保存。",
        "Return what a run of a settlement period would find now; nothing is kept.",
        "The same as `subsidy run --dry-run`.",
        parameters=(PERIOD_ASKED, REGION, INSTITUTION),
        needs_context=True,
        personal=True,
        command="subsidy preview",
        examples=("huilian subsidy preview --period 2021-Q2 --region 341599",),
    ),
    Query(
        "subsidy",
        _shown,
        LoanSubsidies,
        "一笔借据各结算期的贴息：分段、原因、所依据的规定、申报和经过。",
        "Return the subsidies of a loan: segments, reasons, the rules that were read, claims and steps.",
        parameters=(LOAN, replace(REGION, of_token=True), INSTITUTION),
        document=True,
        personal=True,
        command="subsidy show",
        examples=("huilian subsidy show A1 --json",),
        show=_show,
    ),
    Query(
        "subsidy_queue",
        _queue,
        QueueRow,
        "年度预算用完后等待的贴息，按申报先后排列。",
        "Return the subsidies that wait for money, in the order of filing.",
        parameters=(REGION, INSTITUTION),
        personal=True,
        command="subsidy queue",
        examples=("huilian subsidy queue --region 341599",),
    ),
    Query(
        "feed/subsidies",
        _subsidies,
        SubsidyRow,
        "输出区划内的贴息，每笔借据每期一行：申请、核算、核定、已付和状态。",
        "Return the subsidies of a region, one loan and settlement period a row, as each stands.",
        parameters=(REGION, INSTITUTION, PERIOD_ASKED, STATE),
        personal=True,
        examples=("huilian feed subsidies --region 341599 --period 2021-Q2 --format csv > 贴息.csv",),
    ),
)
