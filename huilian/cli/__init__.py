"""The command line: `huilian`.

Every command is one function in the module of its group. What a command needs beyond
its options is imported inside it, so that `--help` answers at once.

Exit codes: 0 done, 1 refused or not in order, 2 called wrongly, 3 a server is away.
"""

from __future__ import annotations

import os
import sys

__all__ = ["PRIVATE_UMASK", "main"]

PRIVATE_UMASK = 0o077


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    from huilian.cli.application import run  # noqa: PLC0415  # the package itself stays light

    # What an adapter writes, too, is this account's alone until it is given a mode of its own.
    os.umask(PRIVATE_UMASK)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a file name may hold any bytes
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone, as in `huilian feed … | head`. Nothing more is to be written, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)
