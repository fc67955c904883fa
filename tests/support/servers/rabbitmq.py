"""A private RabbitMQ node."""

from __future__ import annotations

import secrets
import socket
import subprocess
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import httpx

from tests.support.servers.certificates import issue_server_certificate
from tests.support.servers.node import HOST, ServerNode, environment_without, free_port
from tests.support.servers.requirements import installed_rabbitmq

if TYPE_CHECKING:
    from pathlib import Path

# RabbitMQ makes this user by itself, and lets it in from this machine only.
DEFAULT_USER = DEFAULT_PASSWORD = "guest"  # noqa: S105 - the broker's own default, on a node that listens to us alone
DEFAULT_VIRTUAL_HOST = "/"
PROBE_SECONDS = 2.0
MANAGEMENT_SECONDS = 30.0
# RabbitMQ before 3.13 writes the name of a new quorum queue to disk half a second after it has confirmed the
# declaration (rabbitmq/ra pull request 443). Killed before that, it comes back with a queue that has no leader and no
# messages. A test that declares queues and kills the node waits this long in between: twice what the broker needs.
QUEUE_REGISTRATION_SECONDS = 1.0
ALL_RESOURCES = ".*"
# What an AMQP 0-9-1 client says first, and the type of the frame (a method: Connection.Start) that it gets back.
PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
METHOD_FRAME = b"\x01"

CONFIGURATION = """
listeners.tcp.1 = {host}:{port}
management.tcp.ip = {host}
management.tcp.port = {management_port}
management_agent.disable_metrics_collector = true
disk_free_limit.absolute = 50MB
log.console = false
log.file.level = info
"""

TLS_CONFIGURATION = """
listeners.ssl.1 = {host}:{port}
ssl_options.cacertfile = {ca_file}
ssl_options.certfile = {certificate_file}
ssl_options.keyfile = {key_file}
ssl_options.versions.1 = tlsv1.3
ssl_options.versions.2 = tlsv1.2
ssl_options.verify = verify_none
ssl_options.fail_if_no_peer_cert = false
"""


class RabbitMQNode(ServerNode):
    """A private RabbitMQ node on free ports, with its own name, cookie, port mapper and data.

    Virtual hosts and users are made over its management interface, in milliseconds.

    Args:
        tls: Listen for AMQP over TLS as well, with a certificate from an authority made for this node alone.

    Raises:
        MissingServerError: RabbitMQ is not installed.
    """

    kind = "rabbitmq"
    start_seconds: ClassVar[float] = 120.0  # about 5 s; it needs more when two nodes start on a busy machine

    def __init__(self, *, tls: bool = False) -> None:
        """Choose the ports and write the configuration."""
        self._scripts = installed_rabbitmq()
        super().__init__()
        self.port = free_port()
        self.management_port = free_port()
        self.tls_port = free_port() if tls else None
        self.ca_file: Path | None = None
        self._port_mapper_port = free_port()
        self._port_mapper: subprocess.Popen[bytes] | None = None
        self._environment = self._settings()
        self._write_configuration()
        # The broker answers on its AMQP port a moment before its management interface does.
        self._management = httpx.Client(
            base_url=f"http://{HOST}:{self.management_port}/api/",
            auth=(DEFAULT_USER, DEFAULT_PASSWORD),
            timeout=MANAGEMENT_SECONDS,
            trust_env=False,
            transport=httpx.HTTPTransport(retries=3),
        )

    @property
    def url(self) -> str:
        """The AMQP URL of the default virtual host, as the administrator."""
        return self.url_of(DEFAULT_VIRTUAL_HOST)

    @property
    def amqps_url(self) -> str:
        """The AMQP URL over TLS of the default virtual host; trust `ca_file` to use it.

        Raises:
            RuntimeError: The node was made without `tls=True`.
        """
        if self.tls_port is None:
            message = "this node has no TLS listener; make it with tls=True"
            raise RuntimeError(message)
        return _amqp_url("amqps", self.tls_port, DEFAULT_VIRTUAL_HOST, DEFAULT_USER, DEFAULT_PASSWORD)

    def url_of(self, virtual_host: str, user: str = DEFAULT_USER, password: str = DEFAULT_PASSWORD) -> str:
        """Return the AMQP URL of a virtual host, as the administrator or another user."""
        return _amqp_url("amqp", self.port, virtual_host, user, password)

    def add_virtual_host(self, name: str) -> str:
        """Make an empty virtual host and return its URL, as the administrator."""
        self._manage("PUT", "vhosts", name)
        self.set_permissions(DEFAULT_USER, name)
        return self.url_of(name)

    def delete_virtual_host(self, name: str) -> None:
        """Remove a virtual host and all that is in it, closing the connections to it."""
        self._manage("DELETE", "vhosts", name)

    def add_user(self, name: str, password: str) -> None:
        """Make a user who may do nothing yet, or give an existing one another password."""
        self._manage("PUT", "users", name, body={"password": password, "tags": ""})

    def set_permissions(
        self,
        user: str,
        virtual_host: str,
        *,
        configure: str = ALL_RESOURCES,
        write: str = ALL_RESOURCES,
        read: str = ALL_RESOURCES,
    ) -> None:
        """Let a user into a virtual host, with one regular expression over resource names for each kind of right."""
        rights = {"configure": configure, "write": write, "read": read}
        self._manage("PUT", "permissions", virtual_host, user, body=rights)

    def bindings(self, virtual_host: str) -> list[tuple[str, str, str]]:
        """Return exchange, destination and routing key of what was bound in a virtual host, in order."""
        answer = self._management.get(f"bindings/{quote(virtual_host, safe='')}").raise_for_status()
        found = [(each["source"], each["destination"], each["routing_key"]) for each in answer.json()]
        return sorted(each for each in found if each[0])  # without those the broker makes itself

    def run_script(self, lines: str) -> None:
        """Run a shell script in which `rabbitmqctl` is this node's.

        Raises:
            subprocess.CalledProcessError: a line of it failed; what it said is in the error's `stderr`.
        """
        environment = self._environment | {"PATH": f"{self._scripts}:{self._environment['PATH']}"}
        subprocess.run(["sh", "-e"], input=lines, env=environment, check=True, capture_output=True, text=True)

    def import_definitions(self, definitions: dict[str, Any]) -> None:
        """Import definitions as the management interface does."""
        self._management.request("POST", "definitions", json=definitions).raise_for_status()

    def close(self) -> None:
        """End the node at once and remove its directory; it cannot be started again."""
        self._management.close()
        super().close()

    def _manage(self, method: str, *path: str, body: dict[str, str] | None = None) -> None:
        response = self._management.request(method, "/".join(quote(part, safe="") for part in path), json=body)
        response.raise_for_status()

    def _launch(self) -> subprocess.Popen[bytes]:
        if self._port_mapper is None or self._port_mapper.poll() is not None:
            # Erlang's port mapper. Left to itself, the node would start one that outlives it, and share it with others.
            command = ["epmd", "-address", HOST, "-port", str(self._port_mapper_port)]
            self._port_mapper = self._spawn(command, environment=self._environment)
            self._companions.append(self._port_mapper)
        with self.log_file.open("ab") as log:
            return self._spawn([self._scripts / "rabbitmq-server"], environment=self._environment, output=log)

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), PROBE_SECONDS) as connection:
                connection.sendall(PROTOCOL_HEADER)
                if connection.recv(1) != METHOD_FRAME:
                    return False
            with socket.create_connection((HOST, self.management_port), PROBE_SECONDS):
                return True
        except OSError:
            return False

    def _settings(self) -> dict[str, str]:
        """Return the environment under which every path, name and port of the node is ours."""
        home = self.directory
        # Every setting that /etc/rabbitmq or the caller's environment could bring in is named here.
        return environment_without("RABBITMQ_", "ERL_", "NOTIFY_SOCKET") | {
            "HOME": str(home),
            "ERL_EPMD_ADDRESS": HOST,
            "ERL_EPMD_PORT": str(self._port_mapper_port),
            "RABBITMQ_NODENAME": f"huilian-{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_CONF_ENV_FILE": str(home / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "generated"),
            "RABBITMQ_SCHEMA_DIR": str(home / "schema"),
            "RABBITMQ_MNESIA_BASE": str(home / "data"),
            "RABBITMQ_LOG_BASE": str(home),
            "RABBITMQ_LOGS": str(self.log_file),
            "RABBITMQ_PID_FILE": str(home / "pid"),
            # The start script then becomes the server, where it would otherwise wait for it as its parent.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _write_configuration(self) -> None:
        configuration = CONFIGURATION.format(host=HOST, port=self.port, management_port=self.management_port)
        if self.tls_port is not None:
            files = issue_server_certificate(self.directory, HOST)
            self.ca_file = files.ca_file
            configuration += TLS_CONFIGURATION.format(host=HOST, port=self.tls_port, **files._asdict())
        (self.directory / "rabbitmq.conf").write_text(configuration, encoding="utf-8")
        (self.directory / "enabled_plugins").write_text("[rabbitmq_management].\n", encoding="utf-8")
        cookie = self.directory / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16), encoding="utf-8")
        cookie.chmod(0o400)


def _amqp_url(scheme: str, port: int, virtual_host: str, user: str, password: str) -> str:
    user, password, virtual_host = (quote(part, safe="") for part in (user, password, virtual_host))
    return f"{scheme}://{user}:{password}@{HOST}:{port}/{virtual_host}"
