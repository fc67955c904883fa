"""What the registry answers of consents, enterprises, agreements, lead banks, suspensions, and of needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from huilian.core import identity, regions
from schemas.applications import HELPING_WAY
from schemas.parties import AGREEMENT_KIND, BENEFIT_KIND, CONSENT_SCOPE
from schemas.stories import labelled
from services.registry.parties.consents import SCOPES_OF, stands
from services.registry.parties.periods import HOLDS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from huilian.database.connection import Transaction
    from huilian.policy.policies import Policy

__all__ = [
    "OF_APPLICATION", "STORY", "agreement_feed", "consent_feed", "enterprise_feed", "led_household_feed", "needs",
    "service_area_feed", "suspension_feed",
]  # fmt: skip

_HOME: Final = """coalesce((SELECT p.region FROM registry.person p WHERE p.household_no = {0} AND p.is_head = 'yes'
                          ORDER BY p.missing_since DESC NULLS FIRST LIMIT 1), '')"""
"""SQL for where a household lives, or lived when it was last on the roster."""
_FROM_AND_UNTIL: Final = """
    CROSS JOIN LATERAL (
        VALUES (e.from_date, '{0}', e.message, e.member, e.person),
               (e.until_date, '{0}终止', coalesce(e.ended_message, e.message), coalesce(e.ended_member, e.member),
                coalesce(e.ended_person, e.person))
    ) t (day, what, message, member, person)
    WHERE t.day IS NOT NULL AND e.from_date IS DISTINCT FROM e.until_date
"""
"""Of a record its beginning and its end, each with the message that says so; one that never held says nothing."""
_HOUSEHOLDS_HOME: Final = _HOME.format("%(household)s")
STORY: Final = f"""
    SELECT t.day AS "on", 7 AS rank, {_HOUSEHOLDS_HOME} AS region, t.member AS institution, t.what,
           e.consent_no AS number, NULL::numeric AS amount,
           concat_ws('：', (SELECT string_agg({labelled("s.code", CONSENT_SCOPE)}, '、') FROM unnest(e.scope) s (code)),
                     e.institution) AS state,
           NULL::integer AS submission, NULL::integer AS sequence, NULL::integer AS line, t.message AS said_in
    FROM registry.consent e {_FROM_AND_UNTIL.format("授权")} AND e.household_no = %(household)s
  UNION ALL
    SELECT t.day, 8, {_HOUSEHOLDS_HOME}, t.member, t.what, e.enterprise_no, e.shares_amount,
           concat_ws('：', {labelled("e.way", HELPING_WAY)}, b.name), NULL, NULL, NULL, t.message
    FROM registry.led_household e JOIN registry.enterprise b USING (enterprise_no)
    {_FROM_AND_UNTIL.format("带动")} AND e.household_no = %(household)s
  UNION ALL
    SELECT e.received, 9, {_HOUSEHOLDS_HOME}, e.member, '带动收益', e.reference, e.amount,
           concat_ws('：', {labelled("e.kind", BENEFIT_KIND)}, b.name), NULL, NULL, NULL, e.message
    FROM registry.enterprise_benefit e JOIN registry.enterprise b USING (enterprise_no)
    WHERE e.household_no = %(household)s
  UNION ALL
    SELECT t.day, 10, {_HOUSEHOLDS_HOME}, t.member, t.what, e.agreement_no, NULL,
           concat_ws('：', {labelled("e.kind", AGREEMENT_KIND)}, coalesce(e.application_no, e.loan_no)),
           NULL, NULL, NULL, t.message
    FROM registry.agreement e {_FROM_AND_UNTIL.format("协议")} AND e.households @> ARRAY[%(household)s::text]
"""
"""What a household consented to, who leads it and what it received from them, and its agreements."""
OF_APPLICATION: Final = f"""
    SELECT t.day, 1000000, a.region, t.member, t.what, e.agreement_no, NULL, {labelled("e.kind", AGREEMENT_KIND)},
           NULL, NULL, NULL, t.message, NULL::date, t.member, t.person
    FROM registry.agreement e JOIN registry.application a USING (application_no)
    {_FROM_AND_UNTIL.format("协议")} AND a.application_no = %(application)s
"""
"""Which agreements secure `%(application)s`."""
_DATES: Final = "e.from_date::text, e.until_date::text"
_WHO: Final = "e.member, e.person, e.message, e.ended_message"


def consent_feed(transaction: Transaction, *, region: str, institution: str | None = None) -> Iterator[dict[str, Any]]:
    """Return the consents of a region's households, with masked numbers, by household and number.

    Args:
        transaction: it must stay open while rows are read.
        region: a county, township or village.
        institution: only those to this member.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    kinds = sorted(SCOPES_OF)
    rows = transaction.stream(
        f"""
        SELECT e.consent_no, e.household_no, h.region, e.identity_number, e.scope, e.institution, {_DATES}, e.document,
               {_WHO}
        FROM registry.consent e CROSS JOIN LATERAL (SELECT {_HOME.format("e.household_no")} AS region) h
        WHERE h.region LIKE %(region)s
          AND (%(institution)s::text IS NULL OR e.institution = %(institution)s
               OR e.institution IS NULL AND EXISTS (
                   SELECT FROM huilian.member m
                   JOIN unnest(%(kinds)s::text[], %(scopes)s::text[]) AS of (kind, scopes) ON of.kind = m.kind
                   WHERE m.code = %(institution)s AND e.scope && string_to_array(of.scopes, ';')))
        ORDER BY e.household_no, e.consent_no
        """,
        {
            "region": regions.normalise(region) + "%",
            "institution": institution,
            "kinds": kinds,
            "scopes": [";".join(sorted(SCOPES_OF[kind])) for kind in kinds],
        },
    )
    return (
        row | {"identity_number": identity.mask(row["identity_number"]), "scope": ";".join(row["scope"])}
        for row in rows
    )


def enterprise_feed(
    transaction: Transaction, *, region: str, policy: Policy, today: dt.date
) -> Iterator[dict[str, Any]]:
    """Return the enterprises of a region, each with how many households it leads today.

    Args:
        transaction: it must stay open while rows are read.
        region: a county, township or village.
        policy: not asked here.
        today: the county's day.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    del policy
    return transaction.stream(
        f"""
        SELECT e.enterprise_no, e.name, e.region, e.kind, {_DATES},
               (SELECT count(*) FROM registry.led_household l
                WHERE l.enterprise_no = e.enterprise_no AND {HOLDS.format("l", "%(today)s::date")}) AS households_led,
               {_WHO}
        FROM registry.enterprise e WHERE e.region LIKE %(region)s ORDER BY e.region, e.enterprise_no
        """,
        {"region": regions.normalise(region) + "%", "today": today},
    )


def led_household_feed(
    transaction: Transaction, *, region: str, enterprise: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return who leads the households of a region, or did, each with what it received from then on.

    Args:
        transaction: it must stay open while rows are read.
        region: a county, township or village; households within it.
        enterprise: only those that it leads.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    return transaction.stream(
        f"""
        SELECT e.household_no, h.region, e.enterprise_no, b.name AS enterprise_name, e.way, {_DATES}, e.orders,
               e.shares, e.shares_amount::text, got.benefits, got.dividends::text, got.received::text, got.last::text,
               {_WHO}
        FROM registry.led_household e JOIN registry.enterprise b USING (enterprise_no)
        CROSS JOIN LATERAL (SELECT {_HOME.format("e.household_no")} AS region) h
        CROSS JOIN LATERAL (
            SELECT count(*) AS benefits, coalesce(sum(g.amount), 0.00) AS received, max(g.received) AS last,
                   coalesce(sum(g.amount) FILTER (WHERE g.kind = 'dividend'), 0.00) AS dividends
            FROM registry.enterprise_benefit g
            WHERE (g.enterprise_no, g.household_no) = (e.enterprise_no, e.household_no) AND g.received >= e.from_date
              -- What came later belongs to the later time in which it was led by the same.
              AND NOT EXISTS (SELECT FROM registry.led_household later
                              WHERE (later.enterprise_no, later.household_no) = (e.enterprise_no, e.household_no)
                                AND later.from_date > e.from_date AND later.from_date <= g.received
                                AND later.from_date IS DISTINCT FROM later.until_date)
        ) got
        WHERE h.region LIKE %(region)s AND (%(enterprise)s::text IS NULL OR e.enterprise_no = %(enterprise)s)
        ORDER BY e.household_no, e.from_date, e.enterprise_no
        """,
        {"region": regions.normalise(region) + "%", "enterprise": enterprise},
    )


def agreement_feed(
    transaction: Transaction, *, region: str, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return the agreements of a region by their numbers; with a member only those that it is party of.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    parties = ", ".join(
        f"nullif(array_to_string(e.{name}, ';'), '') AS {name}" for name in ("members", "households", "enterprises")
    )
    return transaction.stream(
        f"""
        SELECT e.agreement_no, e.kind, e.region, {parties}, e.application_no, e.institution AS lender, e.loan_no,
               e.reports, e.document, {_DATES}, {_WHO}
        FROM registry.agreement e
        WHERE e.region LIKE %(region)s AND (%(institution)s::text IS NULL OR %(institution)s = ANY(e.members))
        ORDER BY e.agreement_no
        """,
        {"region": regions.normalise(region) + "%", "institution": institution},
    )


def service_area_feed(
    transaction: Transaction, *, region: str, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return the lead banks of a region: of areas within it, and of those in which it lies.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    return transaction.stream(
        f"""
        SELECT e.region, e.institution, e.branch, e.responsible, {_DATES}, e.message, e.ended_message
        FROM registry.service_area e
        WHERE (starts_with(e.region, %(region)s) OR starts_with(%(region)s, e.region))
          AND (%(institution)s::text IS NULL OR e.institution = %(institution)s)
        ORDER BY e.region, e.from_date, e.institution
        """,
        {"region": regions.normalise(region), "institution": institution},
    )


def suspension_feed(
    transaction: Transaction, *, region: str, institution: str | None = None
) -> Iterator[dict[str, Any]]:
    """Return the suspensions of a region: of areas within it, and of those in which it lies.

    With a member: those that are its own or all banks'.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    return transaction.stream(
        f"""
        SELECT e.suspension_no, e.region, e.institution, e.product, {_DATES}, e.reason, {_WHO}
        FROM registry.lending_suspension e
        WHERE (starts_with(e.region, %(region)s) OR starts_with(%(region)s, e.region))
          AND (%(institution)s::text IS NULL OR e.institution IS NULL OR e.institution = %(institution)s)
        ORDER BY e.from_date, e.suspension_no
        """,
        {"region": regions.normalise(region), "institution": institution},
    )


def needs(transaction: Transaction, *, region: str, policy: Policy, today: dt.date) -> Iterator[dict[str, Any]]:
    """Return the households of a region that state a need, and have neither an application nor a loan.

    An application that was withdrawn or has expired is none, a loan that is repaid is none.

    Args:
        transaction: it must stay open while rows are read.
        region: a county, township or village.
        policy: not asked here.
        today: the county's day, on which a consent must hold.

    Raises:
        UsageError: HL7002, the region is not one.
    """
    del policy
    consents = stands("h.household_no", "c.institution", "%(today)s::date")
    return transaction.stream(
        f"""
        SELECT h.region, h.village_group, h.household_no, h.head_name, h.category, h.household_size, h.needs,
               h.annual_income::text, r.grade, r.line AS credit_line,
               CASE WHEN EXISTS ({consents}) THEN 'yes' ELSE 'no' END AS consents
        FROM registry.household h
        LEFT JOIN registry.rating r ON r.borrower = 'household' AND r.borrower_no = h.household_no
        WHERE h.region LIKE %(region)s AND h.needs IS NOT NULL
          AND NOT EXISTS (SELECT FROM registry.application a
                          WHERE a.borrower = 'household' AND a.borrower_no = h.household_no
                            AND a.state NOT IN ('withdrawn', 'expired'))
          AND NOT EXISTS (SELECT FROM registry.loan l WHERE l.household_no = h.household_no AND l.balance > 0)
        ORDER BY h.region, h.village_group NULLS FIRST, h.household_no
        """,
        {"region": regions.normalise(region) + "%", "today": today, "scope": "credit_inquiry"},
    )
