"""The published description of the HTTP interface is what the server does."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from huilian.http import publish, specification

FILE = Path(str(files("contracts"))) / publish.FILE_NAME
OPERATIONS = {"/healthz", "/readyz", "/metrics"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document as it is published."""
    return dict(yaml.safe_load(FILE.read_text("utf-8")))


def test_the_published_file_is_what_the_addresses_generate():
    """Byte for byte; if this fails, run: make contracts."""
    assert FILE.read_text("utf-8") == publish.text()
    assert publish.main(["--check"]) == 0


def test_a_file_that_is_behind_is_named_and_then_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Checking writes nothing; publishing does, once."""
    arguments = ["--directory", str(tmp_path)]
    assert publish.main(["--check", *arguments]) == 1
    assert capsys.readouterr().out == "not published: openapi.yaml; run python -m huilian.http.publish\n"
    assert publish.main(arguments) == 0
    assert publish.main(arguments) == 0
    assert capsys.readouterr().out == "published openapi.yaml\n"
    assert (tmp_path / "openapi.yaml").read_bytes() == FILE.read_bytes()


def test_publishing_needs_no_office():
    """A counterparty can make the document from the source alone."""
    ran = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-m", "huilian.http.publish", "--check"],
        check=False,
        capture_output=True,
        text=True,
        env={"HUILIAN_HOME": "/nowhere"},
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


WITHOUT_TOKEN = ("/api/v1/platform-keys", "/api/v1/messages/outcome")
"""What anybody may read, and what a message's own seal opens."""


def test_every_address_of_the_interface_is_described(document: dict[str, Any]):
    """Each with a summary and the error shape; reading needs a token; sending, operations and keys none."""
    assert set(document["paths"]) == OPERATIONS | {
        f"/api/v1/{path}"
        for path in (
            "messages",
            "messages/outcome",
            "key-announcements",
            "receipts/{submission}",
            "outgoing",
            "platform-keys",
            "submissions",
            "feed/loans",
            "feed/households",
            "feed/guarantees",
            "feed/ratings",
            "feed/household_ratings",
            "rated_villages",
            "rating_steps",
            "rating_postings",
            "rating_objections",
            "rating_groups",
            "rating_form",
            "application_form",
            "feed/due_applications",
            "feed/policies",
            "feed/claims",
            "feed/consequences",
            "feed/insurance_products",
            "feed/insurance_results",
            "feed/premium_differences",
            "feed/premiums",
            "feed/uncovered_loans",
            "feed/scoreboard",
            "feed/applications",
            "feed/due_applications",
            "applications",
            "feed/consents",
            "feed/enterprises",
            "feed/led_households",
            "feed/agreements",
            "feed/service_areas",
            "feed/suspensions",
            "needs",
            "breaker",
            "statistics",
            "differences",
            "household_story",
            "application_story",
            "fund",
            "feed/fund_postings",
            "feed/fund_entries",
            "feed/subsidies",
            "subsidy",
            "subsidy_preview",
            "subsidy_queue",
            "subsidy_postings",
            "posted_subsidies",
            "subsidy_objections",
            "subsidy_payments",
            "false_claims",
            "feed/reservations",
            "feed/set_aside",
            "breaker",
            "compensation_form",
            "compensation_story",
            "feed/collections",
            "feed/compensations",
            "feed/loss_reconciliation",
            "fund_pots",
            "fund_limits",
            "fund_dues",
            "fund_term_deposits",
            "feed/insurance_products",
            "feed/premiums",
            "feed/premium_differences",
            "feed/uncovered_loans",
            "feed/insurance_results",
            "subsidy_preview",
            "subsidy",
            "subsidy_queue",
            "feed/subsidies",
            "fund_alarms",
            "fund_rewards",
            "scoreboard",
        )
    }
    assert document["openapi"] == "3.1.0"
    for path, described in document["paths"].items():
        for method in set(described) & {"get", "post"}:
            operation = described[method]
            assert operation["summary"]
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/DEFAULT_ERROR"}
            needs_token = path.startswith("/api/") and method == "get" and path not in WITHOUT_TOKEN
            assert (operation["security"] == [{"token": []}]) == needs_token


def test_every_schema_is_json_schema(document: dict[str, Any]):
    """OpenAPI 3.1 schemas are JSON Schema 2020-12; every reference leads somewhere."""
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(document)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "#/')[1:]}:
        found: Any = document
        for name in reference.split("/"):
            found = found[name]


def test_a_receipt_is_described_as_its_contract_has_it(document: dict[str, Any]):
    """One definition: fields, patterns, Chinese names and nulls are those of receipt/v4; its own may be left out."""
    described = document["components"]["schemas"]["Receipt"]
    contract = json.loads((FILE.parent / "messages/receipt/v4.json").read_text("utf-8"))
    assert set(described["required"]) == set(contract["required"])
    assert described["properties"].keys() == contract["properties"].keys()
    reason = contract["$defs"]["RefusedRecord"]["properties"]
    assert document["components"]["schemas"]["RefusedRecord"]["properties"].keys() == reason.keys()
    for name, field in contract["properties"].items():
        if name in ("refusals", "refused_totals"):
            continue  # another document has its definitions elsewhere
        assert field.items() <= described["properties"][name].items()


def test_the_document_is_served_as_it_is_published(document: dict[str, Any]):
    """`/api/v1/openapi.json` is made of the same."""
    assert specification() == document
