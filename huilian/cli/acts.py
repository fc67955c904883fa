"""Commands for the acts that services declare: each sends one record, whose fields are the command's options."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from huilian.cli import push, queries, screen, session
from huilian.cli.push import EXIT_REFUSED, Target
from huilian.cli.submit import Member, Timeout, answer_as_json, print_answer, sender
from huilian.core.clock import SystemClock
from huilian.core.errors import ConfigurationError, UsageError
from huilian.county import service
from huilian.records import fields as f
from huilian.wire import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from marshmallow import fields
    from typer.core import TyperGroup

    from huilian.county.service import Act

__all__ = ["add_to"]

_DATE: Final = "date"
"""The day of a step: today, unless another is given."""
_PERSON: Final = "person"
"""Who takes a step."""
_DRY_RUN: Final = typer.Option("--dry-run", help="只试算，不报送 (show what it would do, send nothing)")


def add_to(group: TyperGroup, kernel: Collection[str]) -> None:
    """Make a command of every act, beside those of queries.

    Args:
        group: all commands.
        kernel: the commands that are no service's.

    Raises:
        ConfigurationError: HL6006, an act is called like another command.
    """
    app = typer.Typer()
    groups: dict[str, typer.Typer] = {}
    known: set[str] = set()
    for act in service.acts():
        above, _, name = act.command.partition(" ")
        there = group.commands.get(above)
        taken = {} if there is None else getattr(there, "commands", {name})
        if above in kernel or name in taken or act.command in known:
            raise ConfigurationError("HL6006", file=act.command, what="there is a command called so")
        known.add(act.command)
        if above not in groups:
            groups[above] = screen.group(act.chinese, act.english, act.example)
            app.add_typer(groups[above], name=above)
        record = catalogue.installed().latest(act.message_type).schema().fields
        example = f"{act.example} --member CODE{' --person P1' if _PERSON in record else ''}"
        screen.command(groups[above], name, act.chinese, act.english, example)(_command(act))
    if not groups:
        return
    for above, made in cast("TyperGroup", typer.main.get_command(app)).commands.items():
        if above in group.commands:
            cast("TyperGroup", group.commands[above]).commands.update(cast("TyperGroup", made).commands)
        else:
            group.commands[above] = made


def _command(act: Act) -> Callable[..., None]:
    contract = catalogue.installed().latest(act.message_type)
    if contract.bulk:
        return _file_command()

    def run(**given: Any) -> None:  # noqa: ANN401  # options: texts, numbers and flags
        to, token, ca, timeout = (given.pop(name) for name in ("to", "token", "ca", "timeout"))
        as_json, dry_run, member = given.pop("as_json"), given.pop("dry_run", False), given.pop("member")
        if dry_run and act.preview is not None:
            query = service.query(act.preview)
            asked = {each.name: given.get(each.name) for each in query.parameters}
            queries.show(query, asked, to=to, token=token, ca=ca, as_json=as_json)
            return
        if member is None:
            raise UsageError("HL7001", what="--member")
        if _DATE in given and given[_DATE] is None:
            given[_DATE] = SystemClock().today().isoformat()
        with sender(act.message_type, member, Target(to, token, ca, None), timeout) as records:
            answered = records.submit(1, given)
        if as_json:
            screen.print_json(answer_as_json(answered))
        else:
            print_answer(answered)
        raise typer.Exit(0 if answered.is_accepted else EXIT_REFUSED)

    run.__signature__ = inspect.Signature(list(_options(act, contract.schema().fields)))  # type: ignore[attr-defined]  # typer reads the options from it
    return run


def _file_command() -> Callable[..., None]:
    """Return the command of an act that comes as a file: it is pushed."""

    def run(**given: Any) -> None:  # noqa: ANN401  # the options of a push
        push.push(**given)

    signature = inspect.signature(push.push, eval_str=True)
    options = [option for name, option in signature.parameters.items() if name != "allow_missing"]
    run.__signature__ = signature.replace(parameters=options)  # type: ignore[attr-defined]  # typer reads the options from it
    return run


def _options(act: Act, record: dict[str, fields.Field[Any]]) -> Iterator[inspect.Parameter]:
    for name, field in record.items():
        option = typer.Option(f"--{name.replace('_', '-')}", metavar=_metavar(field), help=_help(name, field))
        value = int if isinstance(field, f.Whole) else str
        # What a dry run does not ask for is missed when the record is held to its contract.
        if field.allow_none or name == _DATE or act.preview is not None:
            yield _option(name, Annotated[value | None, option], None)
        else:
            yield _option(name, Annotated[value, option], inspect.Parameter.empty)
    if act.preview is None:
        yield _option("member", Member, inspect.Parameter.empty)
    else:
        yield _option("member", Member | None, None)
        yield _option("dry_run", Annotated[bool, _DRY_RUN], default=False)
    for name, kind in (("to", session.To), ("token", session.Token), ("ca", session.CaFile), ("timeout", Timeout)):
        yield _option(name, kind, None)
    yield _option("as_json", session.Json, default=False)


def _option(name: str, annotation: object, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _metavar(field: fields.Field[Any]) -> str:
    match field:
        case f.Code():
            return "|".join(field.labels)
        case f.Date():
            return "YYYY-MM-DD"
        case f.Money():
            return "0.00"
        case f.Whole():
            return "NUMBER"
        case f.RegionCode():
            return "CODE"
    return "TEXT"


def _help(name: str, field: fields.Field[Any]) -> str:
    chinese = field.metadata.get("zh", name)
    labels = "、".join(field.labels.values()) if isinstance(field, f.Code) else ""
    default = "，缺省为今天 (today)" if name == _DATE else ""
    return f"{chinese} ({name.replace('_', ' ')}){'：' + labels if labels else ''}{default}"
