"""The county's forms of rating: what villages, police, justice and others collected, as workbooks.

`layout` says which forms there are and what their columns mean, `translating` makes records of their rows,
`exchange` puts it together.
"""

from __future__ import annotations

from adapters.county_forms.exchange import CountyForms

__all__ = ["adapter"]

adapter = CountyForms()
