"""docker-compose.yml runs every service there is, starts things in the right order, and holds no secret."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
COMPOSE_TEXT = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
# What the distributed host consists of beside the services of the entry point group.
HOST_PARTS = {"relay", "http"}
SERVERS = {"postgres", "rabbitmq"}
ONE_SHOT = "init"

SECRET_NAME = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL", re.IGNORECASE)
PASSWORD_IN_URL = re.compile(r"://[^:@/\s]+:(?P<password>\$\{[^}]*\}|[^@\s]*)@")
# A variable that must be set: Compose stops with the message when it is missing or empty.
REQUIRED_VARIABLE = re.compile(r"\$\{[A-Z_]+:\?[^}]+\}")
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)")


def _registered_services() -> set[str]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return set(project["entry-points"]["huilian.services"])


def _example_settings() -> dict[str, str]:
    lines = (PROJECT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("name", sorted(_registered_services() | HOST_PARTS))
def test_every_service_has_a_container_of_its_own(name: str):
    """A service that is registered is also run, by the distributed host."""
    assert CONTAINERS[name]["command"] == ["serve", "--host", "distributed", "--service", name]


def test_there_is_no_container_that_nothing_stands_behind():
    """A service that was taken away leaves no container behind."""
    assert set(CONTAINERS) == _registered_services() | HOST_PARTS | SERVERS | {ONE_SHOT}


@pytest.mark.parametrize("name", sorted(set(CONTAINERS) - SERVERS))
def test_all_our_containers_run_one_image_on_one_data_directory(name: str):
    """What differs between containers is their command."""
    container = CONTAINERS[name]
    home = container["environment"]["HUILIAN_HOME"]
    assert container["image"] == "huilian"
    assert container["volumes"][0] == f"home:{home}"
    expected = {"HUILIAN_HOME", "HUILIAN_KEYS", "HUILIAN_DATABASE_URL", "HUILIAN_AMQP_URL"}
    owners = {"HUILIAN_DATABASE_OWNER_URL"} if name == ONE_SHOT else set()
    assert set(container["environment"]) == expected | owners


@pytest.mark.parametrize("name", sorted(set(CONTAINERS) - SERVERS))
def test_a_services_key_lies_in_a_volume_that_no_other_container_has(name: str):
    """A volume without a name is one container's alone. The platform's key is only where members are spoken to."""
    _, keys = CONTAINERS[name]["volumes"]
    place = CONTAINERS[name]["environment"]["HUILIAN_KEYS"]
    assert keys == (f"office-keys:{place}" if name in HOST_PARTS | {ONE_SHOT} else place)
    assert f"VOLUME /var/lib/huilian {place}" in (PROJECT / "Dockerfile").read_text(encoding="utf-8")


def test_only_what_makes_the_tables_knows_the_owner_of_the_database():
    """Services work as a role of their own, which cannot change the audit log."""
    ours = [container for container in CONTAINERS.values() if "build" in container]
    urls = {container["environment"]["HUILIAN_DATABASE_URL"] for container in ours}
    assert [url.partition("//")[2].partition(":")[0] for url in urls] == ["huilian_service"]
    owner = CONTAINERS["postgres"]["environment"]["POSTGRES_USER"]
    assert CONTAINERS[ONE_SHOT]["environment"]["HUILIAN_DATABASE_OWNER_URL"].startswith(f"postgresql://{owner}:")
    password = CONTAINERS["postgres"]["environment"]["POSTGRES_PASSWORD"]
    knowing = {name for name, container in CONTAINERS.items() if password in str(container.get("environment"))}
    assert knowing == {"postgres", ONE_SHOT}


@pytest.mark.parametrize("name", sorted(_registered_services() | HOST_PARTS))
def test_services_wait_until_the_servers_answer_and_the_database_is_made(name: str):
    """A service never starts on a database without its tables."""
    conditions = {other: wait["condition"] for other, wait in CONTAINERS[name]["depends_on"].items()}
    assert conditions == {
        "postgres": "service_healthy",
        "rabbitmq": "service_healthy",
        "init": "service_completed_successfully",
    }


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_servers_have_a_health_check_and_keep_their_data_in_a_volume(name: str):
    """Waiting for a server means something, and its data outlives its container."""
    assert CONTAINERS[name]["healthcheck"]["test"][0] == "CMD"
    assert CONTAINERS[name]["volumes"][0].split(":")[0] in COMPOSE["volumes"]


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_servers_are_not_published(name: str):
    """Only HTTP is reached from outside the containers' network, and only from this machine."""
    assert "ports" not in CONTAINERS[name]
    assert all(port.startswith("127.0.0.1:") for port in CONTAINERS["http"]["ports"])


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_every_secret_comes_from_the_environment_and_has_no_default(name: str):
    """A password is a variable that must be set: neither written here nor replaced by something guessable."""
    for variable, value in CONTAINERS[name].get("environment", {}).items():
        if SECRET_NAME.search(variable) and variable != "HUILIAN_KEYS":  # which names a folder
            assert REQUIRED_VARIABLE.fullmatch(value), variable
        for found in PASSWORD_IN_URL.finditer(value):
            assert REQUIRED_VARIABLE.fullmatch(found["password"]), variable


def test_the_example_names_every_variable_and_gives_away_no_secret():
    """Whoever copies .env.example is asked for everything, and cannot start with somebody else's password."""
    settings = _example_settings()
    assert set(settings) == {found["name"] for found in VARIABLE.finditer(COMPOSE_TEXT)}
    assert [name for name, value in settings.items() if value and SECRET_NAME.search(name)] == []


def test_the_image_installs_hashed_requirements_and_does_not_run_as_root():
    """What was tested is what is installed, and a container that is broken into is not root's."""
    instructions = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes --requirement requirements.lock" in instructions
    last_user = re.findall(r"^USER (\S+)", instructions, re.MULTILINE)[-1]
    assert last_user.split(":")[0].isdigit()
    assert last_user.split(":")[0] != "0"


def test_the_image_copies_every_package_of_the_project():
    """A package that setuptools looks for is in the image."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {pattern.rstrip("*") for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    copied = re.findall(r"^COPY (\w+) \1$", (PROJECT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(copied) == packages
