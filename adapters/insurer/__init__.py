"""The insurer's XML messages (保险公司): packages of policies, claims and period results.

::

    outline ─▶ recoding ─▶ parsing ─▶ gathering ─▶ translation ─▶ records
    the parts  UTF-8       elements   cells        layouts         rejections ─▶ results ─▶ acknowledgement
    head, digest                                                   the county's receipt ─▶

`outline` finds the parts of a file in its bytes, `head` says what its Head states, `recoding` and
`parsing` make elements of its Body one by one, `gathering` makes cells of them, `layouts` says what
they mean and `translation` makes records of them. `element` does the same with one element that was
posted by itself. `results` says what became of each element of a package, `acknowledgement` puts that and the
county's receipt into one answer, and `documents` writes what else the insurer is sent.
"""

from __future__ import annotations

from adapters.insurer.exchange import Insurer

__all__ = ["adapter"]

adapter = Insurer()
