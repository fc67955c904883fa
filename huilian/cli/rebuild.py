"""`huilian rebuild statistics`."""

from huilian.cli import options, screen, session

__all__ = ["app"]

app = screen.group(
    "从登记库重算。",
    "Make anew from the registry what others derived from it.",
    "huilian rebuild statistics",
)


@app.callback()
def rebuild() -> None:
    """Be a group even with one command."""


@screen.command(
    app,
    "statistics",
    "从登记库的历史重算全部统计。完成之前，读到的仍是原有数字。",
    "Fold all figures anew from the registry's history; until it is done readers see the old ones.",
    "huilian rebuild statistics",
)
def statistics(*, as_json: options.Json = False) -> None:
    """Fold the figures anew."""
    from huilian import audit, service  # noqa: PLC0415  # see the package

    with session.reading() as office, office.database.transaction() as transaction:
        done = service.query("rebuild_statistics")(
            transaction,
            history=service.query("history_as_changes"),
            applied=service.query("applied_submissions"),
            dates=service.query("ledger_dates"),
        )
        now, actor = office.clock.now(), session.actor()
        audit.append(transaction, now=now, actor=actor, action="statistics.rebuilt", subject="statistics", detail=done)
    if as_json:
        screen.print_json(done)
        return
    screen.out().print(f"[green]统计已重算[/green]，依据 {done['ledgers']:,} 份台账 (rebuilt from the ledgers)")
