"""The real server in its own process, over a real socket."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from tests.build import said
from tests.serving.process import running_process


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with running_process() as found:
        yield found


@pytest.fixture
def port(server: tuple[subprocess.Popen[bytes], int]) -> int:
    return server[1]


def test_it_answers_and_stops_on_sigterm(
    server: tuple[subprocess.Popen[bytes], int], port: int
) -> None:
    body = {"id": "run-1", "messages": [said("Thursday's plan is published.")]}
    reply = httpx.post(f"http://127.0.0.1:{port}/v1/classify", json=body, timeout=20)
    assert reply.status_code == 200
    assert reply.json()["id"] == "run-1"
    process, _ = server
    process.send_signal(signal.SIGTERM)
    # uvicorn hands the signal on once it has drained.
    assert process.wait(timeout=20) in (0, -signal.SIGTERM)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def read_until(connection: socket.socket, wanted: bytes) -> bytes:
    received = b""
    while wanted not in received:
        piece = connection.recv(65536)
        assert piece, f"closed before {wanted!r}"
        received += piece
    return received


def test_a_stream_is_answered_while_it_is_still_being_sent(port: int) -> None:
    line = json.dumps({"id": "one", "messages": [said("Published.")]}).encode() + b"\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(
            b"POST /v1/classify/batch?ordered=false HTTP/1.1\r\nhost: t\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        # As many lines as may be open at once: then the first answer has to come.
        connection.sendall(chunk(line * 16))
        assert b'"line": ' in read_until(connection, b'"line": ')
        connection.sendall(chunk(line) + b"0\r\n\r\n")
        assert b'"line": 17' in read_until(connection, b'"line": 17')


def test_a_run_that_grows_is_scored_again_for_little(port: int) -> None:
    address = f"http://127.0.0.1:{port}"
    sentence = "I checked entry {} of the ledger against the receipts and found it in order. "
    messages = []
    for step in range(12):
        messages.append(said("".join(sentence.format(step * 20 + n) for n in range(20))))
        body = {"id": "growing", "messages": messages}
        assert httpx.post(f"{address}/v1/classify", json=body, timeout=60).status_code == 200
    numbers = {
        line.split()[0]: float(line.split()[1])
        for line in httpx.get(f"{address}/metrics").text.splitlines()
        if not line.startswith("#")
    }
    hits = numbers['tbc_cache_windows_total{result="hit"}']
    misses = numbers['tbc_cache_windows_total{result="miss"}']
    # Without the cache the steps would cost about half the square of their number.
    assert misses < 3 * 12 * 2
    assert hits > misses
