"""`huilian serve`."""

from typing import Annotated

import typer

from huilian.cli import screen

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    screen.command(
        app,
        "serve",
        "持续运行：接收报文、处理、提供 HTTP 接口，直到 Ctrl-C 或 SIGTERM。",
        "Run in the foreground: take messages in, handle them, answer over HTTP.",
        "huilian serve",
        "huilian serve --listen 0.0.0.0:8341",
        "huilian serve --host distributed --service registry",
    )(serve)


def serve(
    host: Annotated[
        str | None, typer.Option(metavar="embedded|distributed", help="运行方式；默认按设置 (default: the settings')")
    ] = None,
    service: Annotated[
        str | None, typer.Option(metavar="NAME", help="只运行一个进程：服务名、relay 或 http (one process only)")
    ] = None,
    listen: Annotated[str | None, typer.Option(metavar="ADDR:PORT", help="HTTP 监听地址 (HTTP address)")] = None,
) -> None:
    """Serve the data directory."""
    from huilian.cli import session  # noqa: PLC0415  # see the package
    from huilian.errors import ConfigurationError  # noqa: PLC0415
    from huilian.home import HOSTS, Home  # noqa: PLC0415
    from huilian.hosts.serving import serve as run  # noqa: PLC0415

    session.log("info")
    home = Home.from_environment()
    if host not in (None, *HOSTS):
        raise ConfigurationError("HL6006", file="--host", what=" | ".join(HOSTS))
    run(home, host=host, service_name=service, listen=listen)
