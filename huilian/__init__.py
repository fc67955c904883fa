"""Huilian (惠联): middleware between a county office, its banks, guarantors and insurers.

The kernel: sealed messages, effectively-once delivery, two hosts, members and their
keys, dated policies, an audit log. It knows no institution, no format and no service:
those plug in (`adapters/`, `services/`) and the kernel finds them by entry point.
"""

__version__ = "0.1.0"
