"""The insurer's XML messages (保险公司): packages of policies, claims and period results.

::

    outline ─▶ recoding ─▶ parsing ─▶ gathering ─▶ translation ─▶ records
    the parts  UTF-8       elements   cells        layouts         rejections ─▶ acknowledgement
    head, digest

`outline` finds the parts of a file in its bytes, `head` says what its Head states, `recoding` and
`parsing` make elements of its Body one by one, `gathering` makes cells of them, `layouts` says what
they mean and `translation` makes records of them. `element` does the same with one element that was
posted by itself. `documents` and `acknowledgement` write what the insurer is sent.
"""

from __future__ import annotations

from adapters.insurer.exchange import Insurer

__all__ = ["adapter"]

adapter = Insurer()
