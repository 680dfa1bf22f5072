"""The real server in its own process, over a real socket."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.build import said


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server(port: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "TBC_PORT": str(port), "TBC_THREADS": "1"}
    with subprocess.Popen([sys.executable, "-m", "serving"], env=environment) as process:
        for _ in range(200):
            try:
                if httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.05)
        yield process
        process.kill()


def test_it_answers_and_stops_on_sigterm(server: subprocess.Popen[bytes], port: int) -> None:
    body = {"id": "run-1", "messages": [said("Thursday's plan is published.")]}
    reply = httpx.post(f"http://127.0.0.1:{port}/v1/classify", json=body, timeout=20)
    assert reply.status_code == 200
    assert reply.json()["id"] == "run-1"
    server.send_signal(signal.SIGTERM)
    # uvicorn hands the signal on once it has drained.
    assert server.wait(timeout=20) in (0, -signal.SIGTERM)
