"""What a contract is to the kernel: a message type, a version and the schema that defines it.

The kernel names no contract. Packages bring theirs by the entry point group
`huilian.contracts`, each a callable that returns a list of `Contract`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

import marshmallow as ma

from huilian.core.errors import ConfigurationError, MessageRefused
from huilian.wire.envelope import JSON, NDJSON, XML

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Catalogue", "Contract", "installed"]


GROUP: Final = "huilian.contracts"

_SchemaClass = type[ma.Schema]
# Named here because inside `Contract` the word `type` is its first field.


@dataclass(frozen=True)
class Contract:
    """A published message.

    Args:
        type: the field's term, for example "loan_ledger".
        version: counted from 1; a published version never changes.
        schema: what one record, or the single object, is.
        bulk: whether the payload is NDJSON, one record a line, or one JSON object.
        chinese: its name for people.
        summary: one English sentence on when it is sent and what it means.
        xml: whether the payload is one XML element instead; then `schema` has no fields.
        adds_to: the version to which this one only adds fields that may be null: a record in which they are null
            says the same as one of that version.
    """

    type: str
    version: int
    schema: _SchemaClass
    bulk: bool
    chinese: str
    summary: str
    xml: bool = False
    adds_to: int | None = None

    @property
    def media_type(self) -> str:
        """Return what the payload is."""
        return XML if self.xml else NDJSON if self.bulk else JSON

    @property
    def dataschema(self) -> str:
        """Return the identifier carried in the message, for example "loan_ledger/v1"."""
        return f"{self.type}/v{self.version}"


class Catalogue:
    """All installed contracts, by dataschema."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        self.contracts = dict(contracts)

    def contract(self, message_type: str, dataschema: str) -> Contract:
        """Return the contract a message names.

        Raises:
            MessageRefused: HL1005, no such type, or no such version of it.
        """
        found = self.contracts.get(dataschema)
        if found is None or found.type != message_type:
            raise MessageRefused("HL1005", type=message_type, dataschema=dataschema)
        return found

    def named(self, dataschema: str) -> Contract:
        """Return the contract with this identifier, "loan_ledger/v1".

        Raises:
            MessageRefused: HL1005, there is none.
        """
        return self.contract(dataschema.partition("/")[0], dataschema)

    def narrower(self, contract: Contract) -> Contract | None:
        """Return the version to which a contract only adds fields that may be null, if there is one."""
        return self.contracts.get(f"{contract.type}/v{contract.adds_to}")

    def latest(self, message_type: str) -> Contract:
        """Return the newest version of `message_type`.

        Raises:
            MessageRefused: HL1005, no such type.
        """
        return self.versions(message_type)[-1]

    def versions(self, message_type: str) -> list[Contract]:
        """Return the versions of `message_type`, oldest first.

        Raises:
            MessageRefused: HL1005, no such type.
        """
        versions = [c for c in self.contracts.values() if c.type == message_type]
        if not versions:
            raise MessageRefused("HL1005", type=message_type, dataschema="")
        return sorted(versions, key=lambda contract: contract.version)

    def oldest_for(self, message_type: str, records: Sequence[Mapping[str, Any]]) -> Contract:
        """Return the oldest version that all records keep, as most read no newer one; the newest if they keep none.

        Raises:
            MessageRefused: HL1005, no such type.
        """
        *older, newest = self.versions(message_type)
        return next((each for each in older if not each.schema(many=True).validate(records)), newest)


@functools.cache
def installed() -> Catalogue:
    """Return the catalogue of every installed package.

    Raises:
        ConfigurationError: HL6006, two packages bring the same type and version.
    """
    contracts: dict[str, Contract] = {}
    for point in entry_points(group=GROUP):
        for contract in point.load()():
            if contract.dataschema in contracts:
                raise ConfigurationError("HL6006", file=point.value, what=f"{contract.dataschema} is defined twice")
            contracts[contract.dataschema] = contract
    return Catalogue(contracts)
