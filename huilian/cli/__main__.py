"""`python -m huilian.cli` is `huilian`."""

from huilian.cli import main

main()
