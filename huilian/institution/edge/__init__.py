"""An institution's edge: files in, sealed messages out, and the county's answers back as files.

It needs no database server and no county software beside it: a folder with keys, a spool
on disk, and a small journal in SQLite. Whatever kills it, whenever, started
again it goes on: each step is written down before the next, and done again it changes
nothing.

::

    inbox/ ─ take ─▶ underway/ ─ translate, seal ─▶ spool/ ─ send ─▶ county
                         │                                             │
        done/, refused/ ◀┴────── answer ◀── write ◀── verify ◀── keep ◀┘
                                   └──▶ outbox/
"""

from huilian.institution.edge.agent import Edge, open_edge

__all__ = ["Edge", "open_edge"]
