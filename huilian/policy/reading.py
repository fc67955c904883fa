"""Reading a policy for one case, with every row that the result rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from marshmallow import ValidationError

from huilian.core.errors import ConfigurationError
from huilian.policy.structure import POLICY, PRODUCT, Section

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from huilian.policy.policies import Entry, Policy, Product
    from huilian.policy.reference_rates import ReferenceRates
    from huilian.policy.tables import Row, Table
    from huilian.policy.values import Rate

__all__ = ["Reading", "Reason", "step_takes"]


def _members(specs: Mapping[str, object]) -> Iterator[str]:
    for name, spec in specs.items():
        if isinstance(spec, Section):
            yield from (f"{name}.{member}" for member in spec.members)
        else:
            yield name


_OF_PRODUCTS: Final = frozenset(_members(PRODUCT))
_GENERAL: Final = frozenset(_members(POLICY))
_UNKNOWN_GROUND: Final = "政策没有这些情形：{word}；可用：{known} (grounds that the policy does not have)"


def _names(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "-"


_BORROWERS: Final = frozenset({"household", "enterprise", "system"})


def step_takes(step: Entry) -> str:
    """Return what a step takes; where the file does not say, a step of borrowers alone is their request."""
    return str(step["takes"] or ("review" if set(step["by"] or ()) - _BORROWERS else "request"))


@dataclass(frozen=True)
class Reason:
    """Why a policy refuses something, or gives less.

    Args:
        code: a stable word; a program may branch on it.
        chinese: what people read.
        clause: the source that it rests on; empty where it is no rule of the plan.
        about: the fact or condition that the code speaks of, where the code alone does not say it.
    """

    code: str
    chinese: str
    clause: str = ""
    about: str = ""

    def as_json(self) -> dict[str, str]:
        """Return it for a program."""
        about = {"about": self.about} if self.about else {}
        return {"code": self.code, "chinese": self.chinese, "clause": self.clause, **about}


@dataclass
class Reading:
    """One reading of a policy.

    Args:
        policy: what is read.
        product: whose rules are read; None for what holds for all products.
        rates: published rates; None where no rule that is read is a rate.
        known_until: the earliest day until which a published rate that was used is known, where that is passed.
    """

    policy: Policy
    product: Product | None
    rates: ReferenceRates | None = None
    known_until: dt.date | None = None
    _used: dict[int, Row | Entry] = field(default_factory=dict)
    _county: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        """Take the facts that hold for the whole county."""
        self._county = {"county_kind": self.policy.county_kind}

    @property
    def used(self) -> list[dict[str, Any]]:
        """The rows and entries that were read, in order, each once, as JSON."""
        return [each.as_json() for each in self._used.values()]

    @property
    def rows(self) -> Mapping[int, Row | Entry]:
        """The rows and entries that were read, in order, by identity."""
        return self._used

    def as_json(self) -> dict[str, Any]:
        """Return what every result says of the policy that it rests on."""
        return {
            "policy": self.policy.name,
            "version": self.policy.version,
            "product": self.product.name if self.product else None,
            "parameters": self.used,
            **({"known_until": self.known_until.isoformat()} if self.known_until else {}),
        }

    def table(self, rule: str) -> Table | None:
        """Return a rule as "subsidy.share"; None where the file does not have it.

        Raises:
            KeyError: no policy can have it; the caller misspelt it.
        """
        return self._part(rule).rules.get(rule)

    def row(self, rule: str, situation: Mapping[str, Any]) -> Row | None:
        """Return the row of a rule that holds; None where the file does not have the rule.

        Raises:
            MissingFactError: a fact that it depends on is not known.
        """
        table = self.table(rule)
        if table is None:
            return None
        row = table.row(self._with_county(situation))
        self.use(row)
        return row

    def value(self, rule: str, situation: Mapping[str, Any], default: Any = None) -> Any:  # noqa: ANN401  # of its kind
        """Return the value of a rule: `default` where the file does not have it, None where the plan says nothing.

        Raises:
            MissingFactError: a fact that it depends on is not known.
        """
        row = self.row(rule, situation)
        return default if row is None else row.value

    def required(self, rule: str, situation: Mapping[str, Any]) -> Any:  # noqa: ANN401  # of its kind
        """Return the value of a rule that the plan must have.

        Raises:
            MissingFactError: a fact that it depends on is not known.
            ConfigurationError: HL6007, the policy has no value.
        """
        if (value := self.value(rule, situation)) is None:
            date = situation.get("event") or situation.get("accrued") or situation.get("signed") or "-"
            raise ConfigurationError("HL6007", policy=self.policy.name, date=date, parameter=rule)
        return value

    def slices(self, rule: str, fact: str, situation: Mapping[str, Any]) -> list[tuple[Decimal, Decimal | None, Row]]:
        """Return the pieces of a slice, in order: low, high (None: no end), row. Empty where the file has no rule."""
        table = self.table(rule)
        if table is None:
            return []
        pieces = table.slices(fact, self._with_county(situation))
        for _, _, row in pieces:
            self.use(row)
        return pieces

    def entries(self, name: str, situation: Mapping[str, Any]) -> list[Entry]:
        """Return the entries of a list that hold, in order.

        Raises:
            MissingFactError: a fact that one depends on is not known.
        """
        known = self._with_county(situation)
        found = [entry for entry in self._part(name).lists.get(name, ()) if entry.holds(known)]
        for entry in found:
            self.use(entry)
        return found

    def exclusions(self, name: str, grounds: Sequence[str], situation: Mapping[str, Any]) -> list[Entry]:
        """Return the entries of a list of exclusions that hold and whose grounds were found, in the list's order.

        Raises:
            ValidationError: a ground that the policy does not have.
            MissingFactError: a fact that one depends on is not known.
        """
        if not grounds:
            return []
        entries = self._part(name).lists.get(name, ())
        known = {entry["ground"] for entry in entries}
        if unknown := [ground for ground in grounds if ground not in known]:
            raise ValidationError(
                {"exclusions": [_UNKNOWN_GROUND.format(word=", ".join(unknown), known=_names(known))]}
            )
        everything = self._with_county(situation)
        found = [entry for entry in entries if entry["ground"] in grounds and entry.holds(everything)]
        for entry in found:
            self.use(entry)
        return found

    def percent(self, rate: Rate, *, on: dt.date, term: int, contract: Decimal | None = None) -> Decimal:
        """Return what a rate comes to, per cent a year, and remember a publication that is not known.

        Raises:
            UnknownRateError: it refers to a rate that is not known.
        """
        if self.rates is None:
            message = "this reading has no published rates"
            raise TypeError(message)
        if (until := self.rates.doubt(rate, on)) is not None:
            self.known_until = min(until, self.known_until or until)
        return self.rates.percent(rate, on=on, term=term, contract=contract)

    def use(self, row: Row | Entry) -> None:
        """Remember that a result rests on a row."""
        # By identity: rows may share a line. The policy keeps them alive.
        self._used[id(row)] = row

    def _with_county(self, situation: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**self._county, **situation}

    def _part(self, rule: str) -> Product:
        if rule in _GENERAL:
            return self.policy.general
        if rule not in _OF_PRODUCTS:
            raise KeyError(rule)
        return self.policy.general if self.product is None else self.product
