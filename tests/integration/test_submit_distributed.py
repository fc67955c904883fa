"""Single records of the county's own stations on a distributed host: the relay and the services carry them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from huilian.core.errors import MessageRefused, reason, refused_for
from huilian.county.service import Service
from huilian.database.schema import KERNEL
from huilian.hosts.embedded import EmbeddedTransport
from huilian.institution.single_records import SingleRecords
from huilian.wire import catalogue
from tests.integration.test_submit import REFUSED_FILE
from tests.support.county import BANK
from tests.support.county_over_amqp import amqp_county

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from huilian.county.context import Context
    from huilian.database.connection import Transaction
    from huilian.wire.envelope import Draft, Message
    from tests.support.servers.rabbitmq import RabbitMQNode

pytestmark = pytest.mark.timeout(120)


def take(record: Mapping[str, Any], _message: Message, _transaction: Transaction, _context: Context) -> list[Draft]:
    """Take what has no code of its own."""
    if record["code"] == "HL3002":
        raise refused_for([MessageRefused("HL1034", member=BANK, person="LH01"), reason("HL2005", "code")])
    return []


def test_a_record_goes_by_way_of_the_broker_and_is_answered(
    tmp_path: Path, rabbitmq_node: RabbitMQNode, broker: str, fresh_database: str
):
    """As on one machine: accepted, or every reason."""
    with amqp_county(tmp_path / "county", rabbitmq_node, broker, fresh_database) as county:
        county.add(BANK, "bank")
        county.office.__dict__["services"] = {"probe": Service("probe", KERNEL, records={"refused_file": take})}
        county.declare()
        sender = SingleRecords(
            catalogue.installed().latest("refused_file"),
            member=BANK,
            key=county.office.home.keys.current(BANK),
            transport=EmbeddedTransport(county.office),
            clock=county.office.clock,
            seconds=60,
        )
        with county.serving():
            accepted, refused = (sender.submit(1, REFUSED_FILE | {"code": code}) for code in ("HL3001", "HL3002"))
    assert accepted.is_accepted
    assert [(each["field"], each["code"]) for each in refused.reasons] == [(None, "HL1034"), ("code", "HL2005")]
