"""`huilian policy`: what a policy file says, whether it is right, and what it decides. No data directory is needed."""

from __future__ import annotations

from typing import Final

from huilian.cli import screen
from huilian.cli.policy import statements, trials

__all__ = ["app"]


app: Final = screen.group(
    "政策文件：检查、解读、比较、运行案例、试算。不需要数据目录。",
    "Policy files: check them, explain them, compare them, run their cases, try records. Needs no data directory.",
    "huilian policy check 本县.toml",
    "huilian policy explain anhui --on 2020-06-01",
    "huilian policy diff anhui lushi",
    "huilian policy cases anhui",
    "huilian policy try subsidy anhui 贷款.ndjson --from 2020-01-01 --to 2021-01-01",
)

statements.register(app)
trials.register(app)
