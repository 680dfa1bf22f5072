"""Start the real server in its own process."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_process() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The server's process and port, ready for requests."""
    port = free_port()
    environment = {**os.environ, "TBC_PORT": str(port), "TBC_THREADS": "1"}
    with subprocess.Popen([sys.executable, "-m", "serving"], env=environment) as process:
        try:
            _wait_until_ready(port)
            yield process, port
        finally:
            process.kill()


@contextmanager
def running_server() -> Iterator[int]:
    """The port of a server that runs."""
    with running_process() as (_, port):
        yield port


def _wait_until_ready(port: int) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError("the server did not become ready")
