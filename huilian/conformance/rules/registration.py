"""Everything that is asked of an adapter when it is found, all faults at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huilian import adapter_registration
from huilian.adapters import Adapter
from huilian.conformance.results import Finding
from huilian.conformance.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huilian.conformance.subject import Subject

__all__ = ["RULE"]


def _examine(subject: Subject) -> Iterator[Finding]:
    from huilian.conformance.suite import RULES  # noqa: PLC0415  # which names this module

    adapter = subject.adapter
    for fault in adapter_registration.faults(adapter, adapter.name, subject.catalogue, Adapter):
        yield Finding(fault.hook, fault.what)
    known = {rule.name for rule in RULES if not rule.always}
    for name in adapter.exempt:
        if name not in known:
            yield Finding("exempt", f"没有规则 {name}，或不得豁免 (no such rule, or none is exempt from it)")


RULE = Rule(
    "registration",
    "登记信息",
    "What the adapter says of itself is complete and fits the API and the contracts.",
    _examine,
    reading=False,
    always=True,
)
