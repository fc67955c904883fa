"""What the documents point to is in the repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    "README.md",
    "README.zh-CN.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs",
    "contracts",
    "bench",
    "adapters",
]


def _documents() -> list[Path]:
    found = [ROOT / name for name in DOCUMENTS if name.endswith(".md")]
    return found + [path for name in DOCUMENTS if not name.endswith(".md") for path in (ROOT / name).rglob("*.md")]


@pytest.mark.parametrize("document", _documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_is_a_file_of_the_repository(document: Path):
    """A link that leads nowhere is found here, before a reader does."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    folders = {str(parent) for name in tracked for parent in Path(name).parents}
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8"))
    targets = [str((document.parent / link).resolve().relative_to(ROOT)) for link in links]
    assert [target for target in targets if target not in tracked and target not in folders] == []
