"""Options that several commands share, so that they mean the same everywhere."""

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

__all__ = ["CaFile", "Institution", "Json", "OurAmqps", "OurHttps", "Region", "To", "Token"]

REMOTE: Final = "连接其他服务器 (another server)"

Json: TypeAlias = Annotated[bool, typer.Option("--json", help="输出 JSON，供程序读取 (print JSON)")]
Region: TypeAlias = Annotated[
    str, typer.Option("--region", metavar="CODE", help="区划代码：县 6 位、乡镇 9 位、村 12 位 (6, 9 or 12 digits)")
]
Institution: TypeAlias = Annotated[
    str | None, typer.Option("--institution", metavar="CODE", help="只看该机构 (this member only)")
]
To: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="URL",
        help="服务器地址 https://…；不写则用本机数据目录 (default: this machine)",
        rich_help_panel=REMOTE,
    ),
]
Token: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--token", envvar="HUILIAN_TOKEN", show_envvar=True, help="访问令牌 (access token)", rich_help_panel=REMOTE
    ),
]
CaFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--ca", metavar="FILE", help="信任的 CA 证书 PEM (certificates to trust)", rich_help_panel=REMOTE),
]
OurHttps: TypeAlias = Annotated[
    str | None,
    typer.Option("--https", metavar="URL", envvar="HUILIAN_PUBLIC_URL", help="本县 HTTP 地址 (our HTTP address)"),
]
OurAmqps: TypeAlias = Annotated[
    str | None,
    typer.Option("--amqps", metavar="URL", envvar="HUILIAN_PUBLIC_AMQPS", help="本县队列地址 (our broker's address)"),
]
