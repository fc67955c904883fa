"""The HTTP interface: messages in; receipts, the loan feed, figures and operations out.

`create_app` makes the WSGI application of an open office. Every module here is one part
of the interface: its addresses are registered by its `section()`. Those of queries follow
from what services declare; the OpenAPI document describes all of them.
"""

from huilian.http.app import create_app, specification

__all__ = ["create_app", "specification"]
