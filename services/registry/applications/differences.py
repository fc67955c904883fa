"""What differs between ledgers and confirmations, derived whenever it is asked, and told to banks once a day."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import polars as pl

from huilian.county.schedule import Calendar, Job
from huilian.wire.batches import Batcher, wire_types
from huilian.wire.envelope import Draft
from schemas.differences import KINDS
from schemas.outgoing import NoticeRecord

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from huilian.county.office import Office
    from huilian.database.connection import Transaction

__all__ = ["ALL", "JOB", "OF_HOUSEHOLD", "fitting", "tell_banks"]

_CONFIRMED: Final = "{0}.confirmed IS NOT NULL AND {0}.state IN ('confirmed', 'lent', 'completed', 'expired')"
_UNKNOWN: Final = f"""
    NOT EXISTS (SELECT FROM registry.application o
                WHERE o.confirmation_no = l.confirmation_no AND {_CONFIRMED.format("o")})
"""
_GOES_ON: Final = """
    EXISTS (SELECT FROM registry.loan_going_on g WHERE g.institution = l.institution AND g.loan_no = l.loan_no)
"""
# A code padded with zeros means the shorter one.
_WITHIN: Final = "starts_with(l.region, left(s.region, 6) || regexp_replace(substr(s.region, 7), '(000)+$', ''))"
_PRODUCT: Final = "(a.bank_product IS NULL OR a.bank_product = l.product)"
_DIFFERS: Final = """
    concat_ws('；',
        CASE WHEN l.principal > a.amount THEN format('金额 %%s，确认 %%s', l.principal, a.amount) END,
        CASE WHEN l.continuation IS DISTINCT FROM 'extension' AND l.continuation IS DISTINCT FROM 'moratorium'
              AND (l.due_date > l.start_date + make_interval(months => a.term)
                   OR l.due_date <= l.start_date + make_interval(months => a.term - 1))
             THEN format('期限 %%s 至 %%s，确认 %%s 个月', l.start_date, l.due_date, a.term) END,
        CASE WHEN l.annual_rate_percent <> a.annual_rate_percent
             THEN format('年利率 %%s%%%%，确认 %%s%%%%', trim_scale(l.annual_rate_percent),
                         trim_scale(a.annual_rate_percent)) END,
        CASE WHEN l.institution <> a.institution THEN format('银行 %%s，确认 %%s', l.institution, a.institution) END,
        CASE WHEN a.borrower = 'household' AND l.household_no IS DISTINCT FROM a.borrower_no
             THEN format('户 %%s，确认 %%s', coalesce(l.household_no, '未列'), a.borrower_no)
             WHEN l.identity_number <> coalesce(a.applicant, a.borrower_no) THEN '借款人不是申请人' END,
        CASE WHEN l.confirmation_no <> a.confirmation_no
             THEN format('确认编号 %%s，确认 %%s', l.confirmation_no, a.confirmation_no) END,
        CASE WHEN l.start_date > a.valid_until
             THEN format('放款 %%s，确认有效期至 %%s', l.start_date, a.valid_until) END)
"""
"""In what a loan differs, each with what was confirmed."""


def fitting(applications: str, loans: str = "registry.loan") -> str:
    """Return the SQL of which loan may be the loan of which confirmed application.

    It states the number, or states none that is known and has bank and borrower. None goes on from a known loan.

    Args:
        applications: a table of applications.
        loans: a table of loans.
    """
    return f"""
        SELECT f.* FROM (
            SELECT a.application_no, true AS is_stated, l.institution, l.loan_no
            FROM {applications} a JOIN {loans} l ON l.confirmation_no = a.confirmation_no
            WHERE {_CONFIRMED.format("a")}
          UNION ALL
            SELECT a.application_no, false, l.institution, l.loan_no
            FROM {applications} a
            JOIN {loans} l ON l.household_no = a.borrower_no AND l.institution = a.institution
             AND l.identity_number = a.applicant
            WHERE a.borrower = 'household' AND {_CONFIRMED.format("a")} AND {_UNKNOWN}
          UNION ALL
            SELECT a.application_no, false, l.institution, l.loan_no
            FROM {applications} a JOIN {loans} l ON l.identity_number = a.borrower_no
             AND l.identity_type = 'unified_social_credit_code' AND l.institution = a.institution
            WHERE a.borrower = 'enterprise' AND {_CONFIRMED.format("a")} AND {_UNKNOWN}
        ) f WHERE NOT {_GOES_ON.replace("l.", "f.")}
    """


# The loans that fall on a confirmation on which one was lent, that one among them. A product is compared by the bank's
# own code: what its other codes mean only who matches them knows.
_DRAWN: Final = f"""
    SELECT a.application_no, a.confirmation_no, a.confirmed, a.amount, a.loan_no AS lent,
           l.institution, l.loan_no, sum(l.principal) OVER (PARTITION BY a.application_no) AS drawn
    FROM fitting f JOIN application a ON a.application_no = f.application_no AND a.institution = f.institution
    JOIN loan l ON l.institution = f.institution AND l.loan_no = f.loan_no
    WHERE a.loan_no IS NOT NULL
      AND NOT EXISTS (SELECT FROM registry.application o WHERE o.institution = l.institution
                      AND o.loan_no = l.loan_no AND o.application_no <> a.application_no)
      AND (l.loan_no = a.loan_no OR f.is_stated OR (
           l.start_date BETWEEN a.confirmed AND coalesce(a.valid_until, 'infinity') AND {_PRODUCT}))
"""
_LOAN: Final = "l.institution, l.loan_no, l.household_no, l.region, l.as_of"
_OF_FITTING: Final = """
    fitting f JOIN application a ON a.application_no = f.application_no
    JOIN loan l ON l.institution = f.institution AND l.loan_no = f.loan_no
"""
_FOUND: Final = f"""
    fitting AS MATERIALIZED ({fitting("application", "loan")}),
    drawn AS MATERIALIZED ({_DRAWN}),
    lent AS MATERIALIZED (
        SELECT {_LOAN}, l.start_date, a.confirmation_no AS reference, a.confirmed, {_DIFFERS} AS differs
        FROM application a JOIN loan l ON l.institution = a.institution AND l.loan_no = a.loan_no
    ), elsewhere AS MATERIALIZED (
        SELECT {_LOAN}, a.confirmation_no AS reference, {_DIFFERS} AS differs
        FROM {_OF_FITTING} WHERE f.institution <> a.institution
    ), before AS MATERIALIZED (
        SELECT DISTINCT ON (f.institution, f.loan_no) f.institution, f.loan_no, a.confirmation_no, a.confirmed
        FROM {_OF_FITTING} WHERE NOT f.is_stated AND l.start_date < a.confirmed AND {_PRODUCT}
        ORDER BY f.institution, f.loan_no, a.confirmed, a.application_no
    ), counted AS MATERIALIZED (
        SELECT institution, loan_no FROM lent UNION SELECT institution, loan_no FROM drawn
        UNION SELECT institution, loan_no FROM elsewhere
    )
    SELECT 'two_loans_on_one_confirmation' AS kind, {_LOAN}, d.confirmation_no AS reference,
           format('已放款借据 %%s，合计 %%s，确认 %%s', d.lent, d.drawn, d.amount) AS detail
    FROM (SELECT DISTINCT ON (institution, loan_no) * FROM drawn WHERE loan_no <> lent
          ORDER BY institution, loan_no, confirmed DESC, application_no) d
    JOIN loan l ON l.institution = d.institution AND l.loan_no = d.loan_no
    WHERE d.drawn > d.amount
  UNION ALL
    SELECT 'loan_before_confirmation', {_LOAN}, reference, format('放款 %%s，确认 %%s', start_date, confirmed)
    FROM lent l WHERE start_date < confirmed
  UNION ALL
    SELECT 'loan_differs_from_confirmation', {_LOAN}, reference, differs FROM lent l WHERE differs <> ''
  UNION ALL
    SELECT 'loan_differs_from_confirmation', {_LOAN}, reference, differs FROM elsewhere l
  UNION ALL
    SELECT CASE WHEN b.loan_no IS NULL THEN 'loan_without_confirmation' ELSE 'loan_before_confirmation' END, {_LOAN},
           coalesce(b.confirmation_no, l.confirmation_no),
           format('放款 %%s，', l.start_date) || coalesce('确认 ' || b.confirmed, '没有可以对应的确认')
    FROM loan l LEFT JOIN before b ON b.institution = l.institution AND b.loan_no = l.loan_no
    WHERE EXISTS (SELECT FROM registry.application_start s WHERE {_WITHIN} AND l.start_date >= s.from_date)
      AND NOT EXISTS (SELECT FROM counted c WHERE c.institution = l.institution AND c.loan_no = l.loan_no)
      AND NOT {_GOES_ON}
  UNION ALL
    SELECT 'loan_in_suspended_area', {_LOAN}, s.suspension_no,
           format('放款 %%s，停贷 %%s 起', l.start_date, s.from_date)
    FROM registry.lending_suspension s
    JOIN loan l ON {_WITHIN} AND l.start_date >= s.from_date
     AND (s.until_date IS NULL OR l.start_date < s.until_date)
     AND (s.institution IS NULL OR s.institution = l.institution)
    -- The bank's codes of products are not the policy's: which one a loan is of, its application says.
    WHERE NOT {_GOES_ON} AND (s.product IS NULL OR EXISTS (
        SELECT FROM registry.application a
        WHERE a.institution = l.institution AND a.loan_no = l.loan_no AND a.product = s.product))
  UNION ALL
    SELECT 'continuation_without_original', {_LOAN}, l.original_loan_no, NULL
    FROM loan l
    WHERE l.continuation IN ('extension', 'renewal', 'moratorium') AND NOT {_GOES_ON}
      AND CASE WHEN l.original_loan_no IS NULL THEN l.continuation = 'renewal'
               ELSE l.original_loan_no <> l.loan_no END
"""
ALL: Final = f"""
    WITH loan AS NOT MATERIALIZED (SELECT * FROM registry.loan),
    application AS NOT MATERIALIZED (SELECT * FROM registry.application), {_FOUND}
"""
"""An SQL query of all differences: of each its kind, the loan, the confirmation and what differs, in words."""
# Of a household only its loans are read, and those on the confirmations that they have to do with.
OF_HOUSEHOLD: Final = f"""
    WITH own AS MATERIALIZED (SELECT * FROM registry.loan WHERE household_no = %(household)s),
    application AS MATERIALIZED (
        SELECT * FROM registry.application WHERE borrower_no = %(household)s
      UNION SELECT a.* FROM registry.application a JOIN own l ON l.confirmation_no = a.confirmation_no
      UNION SELECT a.* FROM registry.application a
            JOIN own l ON l.institution = a.institution AND l.loan_no = a.loan_no
    ), loan AS MATERIALIZED (
        SELECT * FROM own
      UNION SELECT l.* FROM registry.loan l JOIN application a ON l.confirmation_no = a.confirmation_no
      UNION SELECT l.* FROM registry.loan l
            JOIN application a ON l.institution = a.institution AND l.loan_no = a.loan_no
    ), found AS ({_FOUND.replace("fitting AS", "WITH fitting AS", 1)})
    SELECT found.as_of AS "on", 5 AS rank, found.region, found.institution, '数据不符' AS what, found.loan_no AS number,
           NULL::numeric AS amount,
           concat_ws('：', CASE kind {" ".join(f"WHEN '{kind}' THEN '{label}'" for kind, label in KINDS.items())} END,
                     detail) AS state,
           l.submission, l.sequence, l.line, NULL AS said_in
    FROM found JOIN own l USING (institution, loan_no)
"""
"""An SQL query of the lines of a household's story that tell what differs."""
_NOT_TOLD: Final = f"""
    INSERT INTO registry.difference_told (kind, institution, loan_no, reference, detail, region, date)
    SELECT DISTINCT d.kind, d.institution, d.loan_no, coalesce(reference, ''), coalesce(detail, ''), d.region,
           %(day)s::date
    FROM ({ALL}) d JOIN huilian.member m ON m.code = d.institution
    WHERE m.kind = 'bank' AND m.suspended_at IS NULL AND m.left_at IS NULL
    ON CONFLICT DO NOTHING RETURNING number, kind, institution, loan_no, detail, region
"""


def tell_banks(transaction: Transaction, day: dt.date) -> Iterator[Draft]:
    """Yield a notice of each difference between a bank's ledger and confirmations of which it was not told yet.

    Args:
        transaction: in which it is noted as told.
        day: the date that the notices bear.
    """
    transaction.lock("registry.differences")
    found = sorted(transaction.rows(_NOT_TOLD, {"day": day}), key=lambda row: (row["institution"], row["number"]))
    for institution, rows in itertools.groupby(found, key=lambda row: row["institution"]):
        notices = [
            {
                "line": line,
                "notice_no": f"difference-{row['number']}",
                "kind": "does_not_match",
                "date": day.isoformat(),
                "region": row["region"],
                "reference": row["loan_no"],
                "code": None,
                "text": "：".join(filter(None, (f"借据 {row['loan_no']} {KINDS[row['kind']]}", row["detail"]))),
            }
            for line, row in enumerate(rows, start=1)
        ]
        batcher = Batcher()
        bodies = batcher.add(pl.DataFrame(notices, schema=wire_types(NoticeRecord)))
        for _, body in itertools.chain(bodies, batcher.flush()):
            yield Draft("notices", "notices/v1", institution, body, bulk=True)


def _run(office: Office, transaction: Transaction, day: dt.date) -> None:
    office.processor.send_all(transaction, tell_banks(transaction, day), service="registry")


JOB: Final = Job("registry.differences", Calendar(), _run)
"""Banks are told once a day what does not match."""
