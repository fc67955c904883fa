"""What the rules look at: an adapter, where it comes from, its samples and the settings they are read with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from huilian.conformance import samples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from huilian.adapters import Adapter, AdapterSettings
    from huilian.catalogue import Catalogue
    from huilian.conformance.bench import Bench
    from huilian.conformance.samples import Sample, Samples

__all__ = ["SAMPLE_COUNTY", "Subject"]

SAMPLE_COUNTY: Final = "341599"
"""The fictitious county that samples are of, unless another is named."""


@dataclass(frozen=True)
class Subject:
    """An adapter under examination.

    Args:
        adapter: the adapter.
        origin: its entry point's value, "adapters.rural_commercial_bank:adapter".
        catalogue: the contracts there are.
        settings: what it is told.
        samples: what its package carries.
        files: what was named beside them.
        bench: where files are translated.
        folder: for files made on the way.
    """

    adapter: Adapter
    origin: str
    catalogue: Catalogue
    settings: AdapterSettings
    samples: Samples
    files: tuple[Sample, ...]
    bench: Bench
    folder: Path

    def incoming(self) -> Iterator[Sample]:
        """Yield samples and files of what the adapter reads; those of what it writes are not read."""
        written = set(self.adapter.writes.values())
        yield from (sample for sample in (*self.samples.good, *self.files) if sample.name not in written)

    def damaged(self) -> Iterator[tuple[Sample, str]]:
        """Yield what is small enough to be tried in hundreds of damaged forms, with its kind."""
        for sample in self.incoming():
            identity = self.adapter.recognise(sample.name)
            if identity is not None and len(sample.data) <= samples.LARGEST_DAMAGED:
                yield sample, identity.kind
