"""The distributed host served from a folder where something else is called like our packages, as beside a clone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from huilian.county import service
from tests.support import foreign_folder

HUILIAN = Path(sys.executable).with_name("huilian")
PATIENCE = 60.0
"""Seconds after which a test has failed."""
STARTED = {"service_started": len(service.installed()), "relay_started": 1, "serving": 1}


@pytest.mark.real
def test_every_process_of_the_distributed_host_starts_beside_a_folder_called_like_us(
    tmp_path: Path, broker: str, fresh_database: str
):
    """Every service, the relay and the HTTP interface, none of which ends again."""
    foreign_folder.fill(tmp_path)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUILIAN_")}
    variables = inherited | {"HUILIAN_DATABASE_URL": fresh_database, "HUILIAN_AMQP_URL": broker}
    variables["HUILIAN_HOME"] = str(tmp_path / "home")
    settings = ["--county", "341599", "--policy", "anhui", "--host", "distributed", "--listen", "127.0.0.1:0"]
    subprocess.run([HUILIAN, "init", *settings], cwd=tmp_path, env=variables, capture_output=True, check=True)
    log = tmp_path / "serve.log"

    def told() -> dict[str, int]:
        text = log.read_text("utf-8")
        return {event: number for event in (*STARTED, "part_ended") if (number := text.count(f'"{event}"'))}

    with (
        log.open("wb") as file,
        subprocess.Popen([HUILIAN, "serve"], cwd=tmp_path, env=variables, stderr=file) as serving,
    ):
        deadline = time.monotonic() + PATIENCE
        while told() != STARTED and "part_ended" not in told() and time.monotonic() < deadline:
            time.sleep(0.1)
        found = told()
        serving.send_signal(signal.SIGTERM)
    assert found == STARTED, log.read_text("utf-8")
