"""Forms: what a query answers, printed on paper, or written as a list that people fill in.

On paper it is set in a layout and printed as PDF on A4. A layout is a Typst file beside its service. An office that
prints another one puts its own file of the same name into `forms/` of the data directory: the layout is data, and gets
the answer as `sys.inputs.answer`.

A list is written by an adapter in its own layout, and read by the same adapter when it is filled in.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any, Final

from huilian.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from huilian.adapters import Adapter, AdapterSettings, Outgoing
    from huilian.wire.catalogue import Contract

__all__ = ["FOLDER", "Form", "ListForm", "outgoing_list", "print_form", "write_list"]


FOLDER: Final = "forms"
"""Where an office keeps layouts of its own, in the data directory."""
_FONTS: Final = files("huilian") / "vendor"


@dataclass(frozen=True)
class Form:
    """A form on paper.

    Args:
        name: of the command: `huilian report <name>`.
        query: the address of the query whose answer it shows; its parameters are the form's.
        layout: a Typst file.
        chinese: what it is.
        english: the same.
    """

    name: str
    query: str
    layout: Traversable
    chinese: str
    english: str


@dataclass(frozen=True)
class ListForm:
    """A list that people fill in and send back.

    Args:
        name: of the command: `huilian report <name>`.
        query: the address of the query whose rows it shows; its parameters are the list's.
        dataschema: the contract of its records, "due_applications/v1"; fields that no row has are empty.
        adapter: the name of the adapter that writes and reads it.
        chinese: what it is.
        english: the same.
        fields: of rows to those of the records, where they are called otherwise.
    """

    name: str
    query: str
    dataschema: str
    adapter: str
    chinese: str
    english: str
    fields: Mapping[str, str] = field(default_factory=dict)


def outgoing_list(
    form: ListForm,
    rows: Iterable[Mapping[str, Any]],
    contract: Contract,
    *,
    asked: Mapping[str, str | None],
    receiver: str,
    on: dt.date,
) -> Outgoing:
    """Return the rows of a query as records on their way to whoever fills them in.

    Args:
        form: which list.
        rows: of its query.
        contract: of its records.
        asked: the parameters of its query.
        receiver: the member or region that the file is named after.
        on: the day of the list.
    """
    import polars as pl  # noqa: PLC0415  # heavy, and few commands write lists

    from huilian.adapters import Outgoing  # noqa: PLC0415  # the same
    from huilian.wire.batches import wire_types  # noqa: PLC0415  # the same

    types = wire_types(contract.schema)
    named = [{form.fields.get(name, name): value for name, value in row.items()} for row in rows]
    records = [{name: row.get(name) for name in types} | {"line": line} for line, row in enumerate(named, start=1)]
    said = {name: value for name, value in asked.items() if value is not None}
    return Outgoing(form.dataschema, receiver, on, 1, pl.DataFrame(records, schema=types), asked=said)


def write_list(outgoing: Outgoing, adapter: Adapter, settings: AdapterSettings, target: Path) -> Path:
    """Write a list to `target`, or under the adapter's own name where that is a folder; return where it is.

    Raises:
        FileRefused: the adapter cannot write it.
    """
    file = target / adapter.outgoing_name(outgoing) if target.is_dir() else target
    adapter.write(outgoing, settings, file)
    return file


def print_form(form: Form, answer: Mapping[str, Any], *, own: Path, on: dt.date) -> bytes:
    """Return a form as PDF; the same answer on the same day gives the same bytes.

    Args:
        form: which.
        answer: of its query, as JSON has it.
        own: the office's own folder of layouts; it need not exist.
        on: the day that the document bears.

    Raises:
        ConfigurationError: HL6006, the layout cannot be set.
    """
    import typst  # noqa: PLC0415  # heavy, and few commands print

    mine = own / form.layout.name
    moment = dt.datetime.combine(on, dt.time(), dt.UTC)
    with as_file(mine if mine.is_file() else form.layout) as layout, as_file(_FONTS) as fonts:
        try:
            return bytes(
                typst.compile(
                    layout,
                    font_paths=[fonts],
                    ignore_system_fonts=True,
                    sys_inputs={"answer": json.dumps(answer, ensure_ascii=False), "printed": on.isoformat()},
                    timestamp=int(moment.timestamp()),
                )
            )
        except typst.TypstError as error:
            raise ConfigurationError("HL6006", file=layout.name, what=error.message) from None
