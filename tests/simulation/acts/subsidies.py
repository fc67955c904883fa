"""What becomes of subsidies: asked for, computed, posted, disputed, approved, paid, bounced, clawed back."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from huilian.wire import envelope
from tests.simulation.truth import BANKS
from tests.support.carried_county import CLERK, COUNTY, DAY, DEPUTY, HEAD

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.county import SimulatedCounty


def _quarter(day: dt.date, back: int) -> tuple[str, dt.date, dt.date]:
    """Return a quarter before that of a day: its name, its first day, the day after its last."""
    number = day.year * 4 + (day.month - 1) // 3 - back
    first = dt.date(number // 4, number % 4 * 3 + 1, 1)
    after = dt.date((number + 1) // 4, (number + 1) % 4 * 3 + 1, 1)
    return f"{first.year}-Q{number % 4 + 1}", first, after


def claim_subsidies(county: SimulatedCounty, random: Random) -> None:
    """Whoever may asks for what the county computed, or for something else, loan by loan or in a list."""
    today = county.clock.today()
    known = county.rows(
        "SELECT institution, loan_no, borrower_no, period_start, period_end, own, region FROM subsidy.item"
        " WHERE state IN ('unclaimed', 'differing', 'refused', 'waiting', 'computed') AND adjusts IS NULL"
        " ORDER BY number"
    )
    _, first, after = _quarter(today, 1)
    for loan in county.truth.loans:
        if random.random() < 0.3 and loan.start < after:
            known.append({
                "institution": loan.bank, "loan_no": loan.loan_no, "borrower_no": loan.household.number,
                "period_start": max(first, loan.start), "period_end": after, "own": Decimal("88.00"),
                "region": loan.household.region,
            })  # fmt: skip
    if not known:
        return
    rows = []
    for item in known:
        exact = random.random() < 0.8
        amount = item["own"] if exact else random.choice((item["own"] + 1, Decimal("100.00")))
        rows.append({
            "institution": item["institution"], "loan_no": item["loan_no"], "borrower_no": item["borrower_no"],
            "period_start": item["period_start"], "period_end": item["period_end"], "principal_days": None,
            "annual_rate_percent": None, "interest": None, "amount": f"{amount:.2f}", "payee_name": "户主甲",
            "payee_account": f"622848000000{len(rows):04}", "payee_bank": None, "document": "HT1",
        })  # fmt: skip
    unique = list({(row["institution"], row["loan_no"], row["period_start"]): row for row in rows}.values())
    if county.policy == "anhui":
        _claim(county, random, random.choice(("TOWN1", "TOWN1", "TOWN2")), unique)
    else:
        for bank in BANKS:
            _claim(county, random, bank, [row for row in unique if row["institution"] == bank])


def _claim(county: SimulatedCounty, random: Random, member: str, unique: list[dict[str, Any]]) -> None:
    if unique and random.random() < 0.8:
        total = f"{sum((Decimal(row['amount']) for row in unique), Decimal()):.2f}"
        county.tell(f"{member} claims {[(row['loan_no'], row['amount'], str(row['period_end'])) for row in unique]}")
        parts = {"subsidy_claims": unique}
        county.post(random, *county.submission(member, "subsidy_claims", parts, totals={"amount": total}))
    elif unique:
        county.plain(random, "subsidy_claim", member, **random.choice(unique))


def run_subsidies(county: SimulatedCounty, random: Random) -> None:
    """The county computes a quarter that is over, now and then one that is not."""
    period, _, _ = _quarter(county.clock.today(), random.choice((0, 1, 1, 1, 1, 2)))
    open_ones = county.rows(
        "SELECT max(period) AS period FROM subsidy.run JOIN subsidy.item USING (run_no)"
        " WHERE state IN ('unclaimed', 'differing') HAVING max(period) IS NOT NULL"
    )
    if open_ones and random.random() < 0.7:
        period = open_ones[0]["period"]
    record = {"run_no": county.new_number("SR"), "period": period}
    institution = random.choice((None, None, None, *BANKS))
    county.act(random, "subsidy_run", COUNTY, person=CLERK, institution=institution, **record)


def _waiting_items(county: SimulatedCounty, random: Random, *states: str) -> tuple[str, list[dict[str, Any]]] | None:
    """Return a run that has items in some states, and these."""
    rows = county.rows("SELECT * FROM subsidy.item WHERE state = ANY(%s) ORDER BY number", [list(states)])
    if not rows:
        return None
    run = random.choice(rows)["run_no"]
    return run, [row for row in rows if row["run_no"] == run]


def post_subsidies(county: SimulatedCounty, random: Random) -> None:
    """The county posts what a run found to agree, now and then for too short."""
    if found := _waiting_items(county, random, "computed"):
        run, items = found
        today = county.clock.today()
        record = {
            "posting_no": county.new_number("SP"), "run_no": run, "region": COUNTY, "first_day": today,
            "last_day": today + random.choice((6, 6, 6, 9, 1)) * DAY, "complaint_line": "0953-6012345",
            "count": len(items),
        }  # fmt: skip
        county.act(random, "subsidy_posting", COUNTY, person=CLERK, **record)


def dispute_subsidy(county: SimulatedCounty, random: Random) -> None:
    """Somebody objects to what is posted, or an objection is answered."""
    open_ones = county.rows("SELECT objection_no FROM subsidy.objection WHERE upheld IS NULL ORDER BY 1")
    if open_ones and random.random() < 0.6:
        record = {"objection_no": open_ones[0]["objection_no"], "upheld": random.choice(("yes", "no", "no"))}
        county.act(random, "subsidy_answer", "TOWN1", person=HEAD, answer="经核实", **record)
    elif found := _waiting_items(county, random, "posted", "objected"):
        run, items = found
        item = random.choice(items)
        record = {"objection_no": county.new_number("SO"), "run_no": run, "reason": "已搬走"}
        record |= {"institution": item["institution"], "loan_no": item["loan_no"]}
        county.act(random, "subsidy_objection", "VILL1", person=CLERK, **record)


def approve_subsidies(county: SimulatedCounty, random: Random) -> None:
    """Somebody approves what was posted long enough, or what was not."""
    if random.random() < 0.6:
        county.clock.advance(8 * DAY)
        county.work_by_calendar(random)
    if found := _waiting_items(county, random, "posted", "computed"):
        run, items = found
        decision = "approve" if random.random() < 0.9 else "refuse"
        amount = sum((item["own"] for item in items), Decimal())
        record = {
            "run_no": run, "count": len(items), "amount": f"{amount:.2f}", "decision": decision,
            "reason": None if decision == "approve" else "不实",
        }  # fmt: skip
        person = random.choice((HEAD, DEPUTY, CLERK))
        county.act(random, "subsidy_approval", random.choice((COUNTY, COUNTY, "FIN01")), person=person, **record)


def order_subsidies(county: SimulatedCounty, random: Random) -> None:
    """The finance bureau orders a bank to pay what was approved, or what bounced."""
    if found := _waiting_items(county, random, "approved", "bounced"):
        run, items = found
        amount = sum(((item["approved"] or item["own"]) for item in items), Decimal())
        record = {
            "payment_no": county.new_number("SB"), "run_no": run, "institution": random.choice(BANKS),
            "count": len(items), "amount": f"{amount:.2f}",
        }  # fmt: skip
        county.act(random, "subsidy_payment", random.choice(("FIN01", COUNTY)), person=HEAD, **record)


def report_payments(county: SimulatedCounty, random: Random) -> None:
    """A bank says what became of the payments it was told to make, now and then once more and otherwise."""
    sent = county.rows(
        "SELECT seal, payload FROM huilian.message WHERE type = 'payment_orders' AND source = 'HUILIAN' ORDER BY id"
    )
    orders = [
        json.loads(line)
        for row in sent
        for line in envelope.read(row["seal"], bytes(row["payload"])).body().splitlines()
    ]
    if not orders:
        return
    batch = random.choice(sorted({order["batch_no"] for order in orders}))
    today = county.clock.today()
    rows = []
    for order in orders:
        if order["batch_no"] == batch:
            bounced = random.random() < 0.3
            result = {"result": "bounced", "reason": "账户不存在", "paid_date": None}
            if not bounced:
                result = {"result": "paid", "reason": None, "paid_date": today}
            given = {name: value for name, value in order.items() if name != "line"}
            rows.append(given | {"order_line": order["line"]} | result)
    total = f"{sum((Decimal(row['amount']) for row in rows), Decimal()):.2f}"
    payments = county.rows("SELECT institution FROM subsidy.payment WHERE payment_no = %s", [batch])
    member = payments[0]["institution"] if payments and random.random() < 0.8 else COUNTY
    county.tell(f"{member} says of {batch}: {[(row['loan_no'], row['result']) for row in rows]}")
    parts = {"payment_results": rows}
    county.post(random, *county.submission(member, "payment_results", parts, totals={"amount": total}))


def change_card(county: SimulatedCounty, random: Random) -> None:
    """The bank states another card for a loan, first of all for one whose payment bounced."""
    rows = county.rows("SELECT institution, loan_no FROM subsidy.item ORDER BY (state <> 'bounced'), number")
    if rows:
        record = {
            "institution": rows[0]["institution"], "loan_no": rows[0]["loan_no"], "payee_name": "户主甲",
            "payee_account": f"62284899{random.randint(0, 99999):08}", "payee_bank": None,
        }  # fmt: skip
        county.act(random, "payee", rows[0]["institution"], person=CLERK, **record)


def suspect(county: SimulatedCounty, random: Random) -> None:
    """A case of a false claim is opened, decided, or something comes back of it."""
    open_ones = county.rows("SELECT * FROM subsidy.false_claim ORDER BY case_no")
    rows = county.rows("SELECT institution, loan_no FROM subsidy.item ORDER BY (state <> 'paid'), number LIMIT 3")
    if open_ones and random.random() < 0.7:
        case = random.choice(open_ones)
        if random.random() < 0.5:
            decision = random.choice(("approve", "refuse"))
            record = {"case_no": case["case_no"], "decision": decision, "reason": "经查"}
            amount = random.choice(("100.00", "50.00")) if decision == "approve" else None
            county.act(random, "false_claim_decision", COUNTY, person=DEPUTY, amount=amount, **record)
        else:
            record = {"clawback_no": county.new_number("CB"), "case_no": case["case_no"]}
            record |= {"amount": random.choice(("50.00", "100.00")), "effective_date": county.clock.today()}
            county.act(random, "clawback", "FIN01", person=CLERK, **record)
    elif rows:
        record = random.choice(rows) | {"case_no": county.new_number("FC"), "kind": "false_report", "reason": "举报"}
        county.act(random, "false_claim", COUNTY, person=CLERK, **record)


ACTS = {
    "claim_subsidies": (8, claim_subsidies),
    "run_subsidies": (8, run_subsidies),
    "post_subsidies": (7, post_subsidies),
    "dispute_subsidy": (2, dispute_subsidy),
    "approve_subsidies": (7, approve_subsidies),
    "order_subsidies": (6, order_subsidies),
    "report_payments": (5, report_payments),
    "change_card": (2, change_card),
    "suspect": (2, suspect),
}
