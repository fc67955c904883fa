"""A file that is sent again counts as the newest word, unless what it said still stands: on every way in."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huilian.adapters import loading
from huilian.core.errors import MessageRefused
from huilian.county.messages import courier
from huilian.hosts.embedded import EmbeddedHost, EmbeddedTransport
from huilian.institution import bundles as at_the_edge
from huilian.institution import push
from huilian.institution.edge import open_edge
from huilian.institution.spool import Spool
from huilian.institution.transports.amqp import AmqpTransport
from huilian.wire import bundle, catalogue, envelope
from huilian.wire.names import SEAL_HEADER, SUPERSEDED_HEADER
from tests.support.county import BANK, COUNTY, NOW
from tests.support.county_over_amqp import amqp_county
from tests.support.county_over_http import county_over_http
from tests.support.edge import edge_home
from tests.support.push import HEADER, row, send, send_and_settle, spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.county import County
    from tests.support.county_over_amqp import AmqpCounty
    from tests.support.county_over_http import CountyOverHttp
    from tests.support.servers.rabbitmq import RabbitMQNode

FILE = "RCB01_LOAN_20240531.csv"
ROSTER = "花名册_341599_20240531.csv"
ROSTER_HEADER = (
    "户编号,户主姓名,成员姓名,证件号码,与户主关系,行政区划代码,户类型,是否户主,健康状况,劳动技能,家庭人口,"
    "家庭年收入,联系电话,开户银行卡号后四位"
)
RIGHT = {1: "30000.00", 2: "20000.00", 3: "10000.00"}
WRONG = {1: "30000.00", 2: "25000.00", 3: "10000.00", 4: "9000.00"}
"""Another balance, and a loan that is not the bank's."""
BALANCES = "SELECT loan_no || ' ' || balance FROM registry.loan ORDER BY 1"
BALANCE = "SELECT sum(balance) FROM statistics.roll_up"


def write(folder: Path, balances: dict[int, str], name: str = FILE) -> Path:
    """Write a ledger of loans with these balances, under a name that says nothing of what is in it."""
    total = sum(round(float(balance) * 100) for balance in balances.values())
    lines = [HEADER, *(row(number, balance) for number, balance in balances.items())]
    lines.append(f"合计,{len(balances)},{len(balances) * 50000}.00,{total // 100}.{total % 100:02d}" + "," * 19)
    path = folder / name
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode("gb18030"))
    return path


def balances(office: Any) -> list[str]:  # noqa: ANN401  # an open office
    """Return number and balance of every loan."""
    with office.database.transaction() as transaction:
        return [next(iter(found.values())) for found in transaction.rows(BALANCES)]


def total(office: Any) -> int:  # noqa: ANN401  # the same
    """Return the balance that the statistics show, in fen."""
    with office.database.transaction() as transaction:
        return int(transaction.value(BALANCE))


def test_the_right_ledger_sent_once_more_after_another_stands_again(county: County, tmp_path: Path):
    """A, B, A: registry and figures have the balances of A, and the third has a receipt of its own."""
    first = send_and_settle(write(tmp_path, RIGHT), county.office).receipt
    assert send_and_settle(write(tmp_path, WRONG), county.office).receipt["changed"] == 2
    assert (balances(county.office)[1], total(county.office)) == ("L0002 25000.00", 7_400_000)
    third = send_and_settle(write(tmp_path, RIGHT), county.office).receipt
    assert (third["status"], third["changed"], third["submission"]) == ("accepted", 1, f"{first['submission']}.2")
    assert balances(county.office) == ["L0001 30000.00", "L0002 20000.00", "L0003 10000.00"]
    assert total(county.office) == 6_000_000


def test_a_file_whose_word_stands_is_answered_with_the_receipt_it_got(county: County, tmp_path: Path):
    """A, A; and A, B, A, A: the last is no submission of its own."""
    source = write(tmp_path, RIGHT)
    first = send_and_settle(source, county.office).receipt
    assert send_and_settle(source, county.office).receipt == first
    send_and_settle(write(tmp_path, WRONG), county.office)
    third = send_and_settle(write(tmp_path, RIGHT), county.office).receipt
    assert send_and_settle(write(tmp_path, RIGHT), county.office).receipt == third
    assert county.count("huilian.submission") == 3


def test_a_file_of_another_day_leaves_its_word_standing(county: County, tmp_path: Path):
    """The ledger of June takes nothing from that of May: what May's said of May stands."""
    first = send_and_settle(write(tmp_path, RIGHT), county.office).receipt
    send_and_settle(write(tmp_path, WRONG, "RCB01_LOAN_20240601.csv"), county.office)
    assert send_and_settle(write(tmp_path, RIGHT), county.office).receipt == first


def test_a_spool_that_forgot_all_learns_from_the_county_what_stands(county: County, tmp_path: Path):
    """On another machine of the bank, without a word of what was sent: A, B, A, B, A end with A."""
    for number, content in enumerate([RIGHT, WRONG, RIGHT, WRONG, RIGHT]):
        if number:
            for each in Spool(county.office.home.spool).submissions():
                each.discard()
        send_and_settle(write(tmp_path, content), county.office)
    assert balances(county.office) == ["L0001 30000.00", "L0002 20000.00", "L0003 10000.00"]
    assert county.count("huilian.submission") == 5


def persons(folder: Path, income: dict[str, str]) -> Path:
    """Write a roster of one-person households with these incomes."""
    rows = [
        f"341599101200-{number},村民,村民,{_identity(number)},户主,341599101200,脱贫户,是,,,1,{amount},,"
        for number, amount in income.items()
    ]
    path = folder / ROSTER
    path.write_text("\r\n".join([ROSTER_HEADER, *rows, ""]), "gb18030")
    return path


def _identity(number: str) -> str:
    body = f"34159919900101{int(number):03d}"
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    check = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11
    return body + "10X98765432"[check]


def send_roster(source: Path, office: Any) -> dict[str, Any]:  # noqa: ANN401  # an open office
    """Push a roster as the county does."""
    found = loading.find("county_roster")
    with EmbeddedHost(office) as host:
        pushed = push.push(
            source,
            adapter=found,
            member=COUNTY,
            home=office.home,
            settings=loading.settings_for(found, COUNTY, {}),
            catalogue=catalogue.installed(),
            clock=office.clock,
            transport=EmbeddedTransport(office),
        )
        host.drain()
    return pushed.receipt


def test_a_roster_sent_once_more_after_another_stands_again(county: County, tmp_path: Path):
    """Incomes are the right ones again, and who was on the other roster alone is missing from the county."""
    for income in ({"0001": "100.00", "0002": "200.00"}, {"0001": "150.00", "0003": "1.00"}) * 2:
        send_roster(persons(tmp_path, income), county.office)
    send_roster(persons(tmp_path, {"0001": "100.00", "0002": "200.00"}), county.office)
    standing = "SELECT household_no || ' ' || annual_income FROM registry.person WHERE missing_since IS NULL ORDER BY 1"
    assert county.column(standing) == ["341599101200-0001 100.00", "341599101200-0002 200.00"]


CONTENTS = ({1: "30000.00", 2: "20000.00"}, {1: "30000.00", 2: "21000.00", 3: "5000.00"}, {2: "22000.00"})


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.sampled_from(range(len(CONTENTS))), min_size=2, max_size=6))
def test_whatever_is_sent_of_a_day_the_county_has_what_the_last_file_says(
    county: County, tmp_path: Path, order: list[int]
):
    """Any files of a date, in any order and as often as one likes; the figures are those of the registry."""
    county.reset()
    with EmbeddedHost(county.office) as host:
        for number in order:
            send(write(tmp_path, CONTENTS[number]), county.office)
        host.drain()
    expected = CONTENTS[order[-1]]
    assert balances(county.office) == [f"L{number:04d} {balance}" for number, balance in sorted(expected.items())]
    assert total(county.office) == sum(round(float(balance) * 100) for balance in expected.values())
    for service in ("risk_fund", "insurance_claim"):
        folded = f"SELECT loan_no FROM {service}.loan_change GROUP BY loan_no HAVING sum(n) <> 0 ORDER BY 1"
        assert county.column(folded) == [f"L{number:04d}" for number in sorted(expected)]


@pytest.fixture
def http(fresh_database: str, tmp_path: Path) -> Iterator[CountyOverHttp]:
    """A county that banks reach over HTTP."""
    with county_over_http(tmp_path / "county", fresh_database) as served:
        yield served


def test_over_http_the_county_says_what_has_taken_a_submissions_place(http: CountyOverHttp, tmp_path: Path):
    """Pushed again the file stands again; the bytes of the first submission, posted again, are refused in words."""
    first = spool(write(tmp_path, RIGHT), http.office.home, http.office.clock)
    sealed = next(first.messages())
    with contextlib.closing(http.transport(BANK)) as way:
        for content in (RIGHT, WRONG):
            send(write(tmp_path, content), http.office, way)
        http.host.drain()
        [second] = [each for each in Spool(http.office.home.spool).submissions() if each.folder != first.folder]
        address = f"{http.url}/api/v1/receipts/{first.folder.name}"
        answer = httpx.get(address, headers=http.headers(BANK))
        assert (answer.json()["status"], answer.headers[SUPERSEDED_HEADER]) == ("accepted", second.folder.name)
        posted = httpx.post(f"{http.url}/api/v1/messages", content=sealed.payload, headers={SEAL_HEADER: sealed.seal})
        assert (posted.status_code, posted.json()["code"]) == (409, "HL1030")
        assert second.folder.name in posted.json()["message"]
        third = send(write(tmp_path, RIGHT), http.office, way).receipt
        http.host.drain()
    assert (third["status"], third["changed"]) == ("accepted", 1)
    assert balances(http.office)[1] == "L0002 20000.00"


def test_a_manifest_sealed_anew_under_a_name_that_stands_no_more_is_refused_in_words(county: County, tmp_path: Path):
    """However it came in: by the queue, a service finds out, and keeps it as a dead letter."""
    office = county.office
    first = spool(write(tmp_path, RIGHT), office.home, office.clock)
    for content in (RIGHT, WRONG):
        send_and_settle(write(tmp_path, content), office)
    manifest = next(first.messages())
    draft = envelope.Draft(manifest.type, manifest.dataschema, BANK, manifest.body(), submission=manifest.submission)
    anew = envelope.seal(draft, county.bank_key, source=BANK, time=NOW)
    outcome = office.processor.deliver(office.services["registry"], anew.seal, anew.payload)
    assert outcome.refusal is not None
    assert outcome.refusal.code == "HL1030"
    with pytest.raises(MessageRefused, match="HL1030"):
        EmbeddedTransport(office).send(anew)


def test_in_bundles_the_file_dropped_again_stands_again(county: County, tmp_path: Path):
    """Carried by hand, without a receipt in between: A, B and A lie in their order in one bundle, or in three."""
    bank = edge_home(tmp_path / "bank", county.office.home)
    for number, content in enumerate([RIGHT, WRONG, RIGHT]):
        write(bank.folder / "inbox", content)
        with open_edge(bank, settle=0, clock=county.clock) as edge:
            edge.recover()
            while edge.round(threading.Event()):
                pass
        at_the_edge.write(bank, tmp_path / f"{number}.hlb")
    with bundle.opened(tmp_path / "2.hlb") as opened:
        taken = courier.let_in(county.office, opened, actor="test")
    assert [name.rpartition(".")[2] for name in taken.submissions][-1] == "2"
    with EmbeddedHost(county.office) as host:
        host.drain()
    assert balances(county.office) == ["L0001 30000.00", "L0002 20000.00", "L0003 10000.00"]
    with bundle.opened(tmp_path / "0.hlb") as opened:
        taken = courier.let_in(county.office, opened, actor="test")
    assert (taken.new, [refusal.code for refusal in taken.refused]) == (0, ["HL1030"])
    assert balances(county.office) == ["L0001 30000.00", "L0002 20000.00", "L0003 10000.00"]


@pytest.fixture
def amqp(rabbitmq_node: RabbitMQNode, broker: str, fresh_database: str, tmp_path: Path) -> Iterator[AmqpCounty]:
    """A county that banks reach over RabbitMQ."""
    with amqp_county(tmp_path / "county", rabbitmq_node, broker, fresh_database) as county:
        yield county


def test_over_amqp_the_file_sent_again_stands_again(amqp: AmqpCounty, tmp_path: Path):
    """A queue cannot be asked: what else was stated is known from the bank's own spool."""
    [url] = amqp.urls_of([amqp.add(BANK, "bank")])
    amqp.declare(BANK)
    with contextlib.closing(AmqpTransport(url, BANK)) as way, amqp.serving():
        receipts = [send(write(tmp_path, content), amqp.office, way).receipt for content in (RIGHT, WRONG, RIGHT)]
        again = send(write(tmp_path, RIGHT), amqp.office, way).receipt
    assert [receipt["changed"] for receipt in receipts] == [3, 2, 1]
    assert again == receipts[2]
    assert balances(amqp.office) == ["L0001 30000.00", "L0002 20000.00", "L0003 10000.00"]
