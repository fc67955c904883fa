"""What an adapter is, how one is validated and found, and how a new one begins.

Adapters import what they are made of from here.
"""

from huilian.adapters.interface import (
    REFUSALS,
    REJECTIONS,
    Adapter,
    AdapterSettings,
    FileIdentity,
    Outgoing,
    Piece,
    Setting,
)

__all__ = ["REFUSALS", "REJECTIONS", "Adapter", "AdapterSettings", "FileIdentity", "Outgoing", "Piece", "Setting"]
