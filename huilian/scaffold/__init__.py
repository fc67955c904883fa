"""What `huilian adapter new` writes: a package with a working adapter, its samples and tests.

The templates lie in `files/`. What is written conforms as it stands; the work is then to
change `layout.py` until it says what the institution's own files look like.
"""

from __future__ import annotations

from huilian.scaffold.writing import scaffold

__all__ = ["scaffold"]
