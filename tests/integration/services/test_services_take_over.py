"""A data directory of the version in which the registry kept guarantees and insurance opens with all that it held.

`county_before_services.sql.xz` is the database of a small county of invented persons as that version (its commit begins
with 32b94cd) left it; `.answers.json.xz` is what that version answered, then, and after what was on its way had come.
"""

from __future__ import annotations

import datetime as dt
import json
import lzma
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from huilian.cli import messages
from huilian.core.clock import FixedClock
from huilian.county import rebuild
from huilian.county.members import directory
from huilian.county.office import open_office, set_up
from huilian.settings import Home, Settings
from tests.support.assertions.ledgers import check_folds
from tests.support.builders.statements import policy
from tests.support.county import ANY_SHARE
from tests.support.reporting import COUNTY, INSURER, MEMBERS, NOW, ReportingCounty, Submission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgresql import PostgreSQLNode

DATA = Path(__file__).parents[2] / "data"
NAME = "county_before_services"
FEEDS = ("guarantee", "policy", "claim")
SINCE = ("signed", "confirmation_no", "continuation", "original_loan_no")
OF_CLAIMS = ("claim_went_back", "claim_paid_without_date", "claim_outside_cover", "claims_above_sum_insured")
OF_PAYOUTS = ("filed_date", "due_date", "days", "late")
ANSWERS: dict[str, dict[str, str]] = {
    when: {question: json.dumps(answer, ensure_ascii=False) for question, answer in answers.items()}
    for when, answers in json.loads(lzma.decompress((DATA / f"{NAME}.answers.json.xz").read_bytes())).items()
}


@pytest.fixture(scope="module")
def county(postgresql_node: PostgreSQLNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportingCounty]:
    """The county, opened by this version."""
    url = postgresql_node.create_database("services_take_over", empty=True)
    with psycopg.connect(url) as connection:
        connection.execute(lzma.decompress((DATA / f"{NAME}.sql.xz").read_bytes()))
    home = Home(tmp_path_factory.mktemp("home"), {})
    clock = FixedClock(NOW)
    set_up(home, Settings(COUNTY, "anhui", database_url=url, missing_at_most_percent=ANY_SHARE), clock=clock)
    with open_office(home, clock=clock) as office:
        with office.database.transaction() as transaction:
            for code in MEMBERS:
                directory.add_key(transaction, code, home.keys.create(code).public, now=NOW, actor="test")
        yield ReportingCounty(office)


def answered(county: ReportingCounty, question: str) -> str:
    """Return what is answered now, as JSON."""
    name, _, rest = question.partition(" ")
    with county.transaction() as transaction:
        if rest.startswith("{"):
            found = county.registry[name](transaction, **json.loads(rest))
        else:
            found = county.registry[name](transaction, *([rest] if rest else []))
        if name == "loan_feed":
            # What that version did not know of loans is null.
            found = [found[0], *({name: row[name] for name in row if name not in SINCE} for row in found[1])]
        if name == "claim_feed":
            found = [{name: row[name] for name in row if name not in OF_PAYOUTS} for row in found]
        if name == "differences":
            # It did not say in words what differs either.
            found = [
                {name: row[name] for name in row if name != "detail"} for row in found if row["kind"] not in OF_CLAIMS
            ]
        shown = found if isinstance(found, dict | str | None) else list(found)
        return json.dumps(shown, ensure_ascii=False, default=str)


def test_every_feed_figure_difference_and_receipt_is_the_same_as_before(county: ReportingCounty):
    """Byte for byte, whoever asks, before and after what was on its way is carried."""
    before = {question: answered(county, question) for question in ANSWERS["before"]}
    assert before == ANSWERS["before"]
    county.carry(county.waiting())
    after = {question: answered(county, question) for question in ANSWERS["after"]}
    assert after == ANSWERS["after"]
    assert county.dead_letters() == []


def test_the_registry_keeps_nothing_of_guarantees_and_insurance(county: ReportingCounty):
    """Each table is there once, with the service that owns it; what others fold of it is no copy of the registry's."""
    tables = county.rows(
        "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables"
        " WHERE table_name ~ 'guarantee|policy|claim|period_result'"
        " AND table_schema !~ '^(pg_|information_|(rating|subsidy)$)'"
        " AND table_name !~ '_(change|difference)$' ORDER BY 1"
    )
    assert [row["name"] for row in tables] == [
        "insurance_claim.claim",
        "insurance_claim.newest_claim",
        "insurance_claim.newest_period_result",
        "insurance_claim.newest_policy",
        "insurance_claim.period_result",
        "insurance_claim.policy",
        "risk_fund.guarantee",
        "risk_fund.guarantee_compensation",
        "risk_fund.guarantee_in_force",
        "risk_fund.guarantee_release",
        "risk_fund.newest_guarantee",
        "risk_fund.newest_guarantee_compensation",
        "risk_fund.newest_guarantee_release",
    ]


def test_what_the_registry_refused_is_handed_to_the_service_that_takes_it_now(county: ReportingCounty):
    """A message that waited in the registry's queue during the upgrade becomes its dead letter, and is not lost."""
    package = Submission(INSURER, dt.date(2025, 5, 1), [policy("P90")], kind="insurance_package")
    manifest, part = county.messages(package)
    refused = county.office.processor.deliver(county.office.services["registry"], part.seal, part.payload)
    assert refused.refusal is not None
    assert refused.refusal.code == "HL1005"
    county.carry([manifest])
    [number] = [row["number"] for row in county.rows("SELECT number FROM huilian.dead_letter")]
    assert messages.let_in_again(county.office, number).handled
    county.carry(county.waiting())
    receipt = county.receipt(package)
    assert receipt is not None
    assert (receipt["status"], receipt["accepted"]) == ("accepted", 1)


def test_a_manifest_that_came_before_its_services_queue_was_there_is_handed_on(county: ReportingCounty):
    """The queue of one service is bound before that of another: what is published between comes to the first alone."""
    package = Submission(INSURER, dt.date(2025, 5, 2), [policy("P91")], kind="insurance_package", rejected=["P92"])
    manifest, part, rejections = county.messages(package)
    for message in (manifest, rejections):
        registry = county.office.services["registry"]
        assert county.office.processor.deliver(registry, message.seal, message.payload).refusal is None
    county.carry([part])
    receipt = county.receipt(package)
    assert receipt is not None
    assert (receipt["status"], receipt["accepted"], receipt["rejected"]) == ("accepted", 1, 1)


@pytest.mark.parametrize("name", ["risk_fund", "insurance_claim"])
def test_what_a_service_knows_of_loans_is_made_anew(county: ReportingCounty, name: str):
    """The registry tells everything; the feeds say the same as before, and so does what is kept."""
    feeds = [question for question in ANSWERS["after"] if question.partition("_feed ")[0] in FEEDS]
    before = {question: answered(county, question) for question in feeds}
    with county.transaction() as transaction:
        transaction.execute(f"INSERT INTO {name}.loan_change VALUES ('RCB01', 'NONE', NULL, '341599', 1)")
    assert {question: answered(county, question) for question in feeds} != before
    with county.transaction() as transaction:
        rebuild.rebuild(transaction, county.office, name, actor="test")
    assert {question: answered(county, question) for question in feeds} == before
    check_folds(county)
