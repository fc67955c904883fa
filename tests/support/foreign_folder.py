"""What lies beside the place of a command: folders called like our packages, as beside a clone of this project."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["fill"]


def fill(folder: Path) -> None:
    """Put a clone called `huilian` into a folder, with nothing of use in it, and packages that end who imports them."""
    (folder / "huilian" / "huilian").mkdir(parents=True)
    (folder / "huilian" / "huilian" / "__init__.py").touch()
    for name in ("schemas", "adapters", "services", "contracts"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise SystemExit('the working directory was run')\n", "utf-8")
