"""`assistant serve` as a process: how it starts, what it says, and how it ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier

import pytest

from tests.asking import APPLE, FRUIT
from tests.command import Command
from tests.conftest import scale
from tests.held_child import held, hold, left
from tests.serving import JSON
from tests.waiting import PATIENCE, until

QUESTION = json.dumps({"question": "Which service delivers each message to exactly one worker?"})
TOKEN = "correct-horse-battery-staple-0123456789"


@pytest.fixture
def command(tmp_path: Path, surroundings: dict[str, str]) -> Command:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "fruit.md").write_text(FRUIT, "utf-8")
    return Command(tmp_path, surroundings)


class Process:
    """A server that was started, and what it says on stderr."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        self.running = running
        assert running.stderr is not None
        self.said = ""
        while not (found := re.search(r"http://\S+:(\d+)/", self.said)):
            line = running.stderr.readline()
            assert line, self.said
            self.said += line
        self.port = int(found[1])

    def ask(self, body: str) -> tuple[int, bytes]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request("POST", "/api/v1/ask", body, JSON)
            response = connection.getresponse()
            return response.status, response.read()

    def ended(self) -> int:
        assert self.running.stderr is not None
        self.said += self.running.stderr.read()
        return self.running.wait(PATIENCE)


@contextmanager
def started(command: Command, *words: str, **environment: str) -> Iterator[Process]:
    running = subprocess.Popen(
        command.words("serve", "--port", "0", *words),
        env={**command.environment, **environment},
        cwd=command.folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Process(running)
    finally:
        running.kill()
        running.wait()


def refuses(port: int) -> bool:
    """Whether no connection is accepted."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionError:
        return True
    return False


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]], ids=str)
def test_a_signal_ends_it_when_its_answers_are_given_and_a_second_one_at_once(
    command: Command, root: Path, corpus_index: Path, signals: list[signal.Signals]
) -> None:
    """With a child that indexes new notes meanwhile, which must not be left behind. The second signal comes while all
    wait for the first index, which the child is kept from making."""
    shutil.copytree(root / "corpus", command.notes, dirs_exist_ok=True)
    path = [command.environment["PYTHONPATH"]]
    if len(signals) == 1:
        shutil.copytree(corpus_index, command.index)
    else:
        path.append(hold(command.folder / "held"))
    items = "\n".join(f"- Item {n} holds thing {n * 7919 % 10007}." for n in range(400))
    (command.notes / "long.md").write_text(f"# Pantry\n\n{items}\n", "utf-8")
    mark, count = uuid.uuid4().hex, 8
    sent = Barrier(count + 1, timeout=PATIENCE)

    def ask(port: int) -> int:
        with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
            connection.request("POST", "/api/v1/ask", QUESTION, JSON)
            sent.wait()
            response = connection.getresponse()
            return len(json.loads(response.read())["citations"])

    with started(command, MARK=mark, PYTHONPATH=os.pathsep.join(path)) as process, ThreadPoolExecutor(count) as pool:
        answers = [pool.submit(ask, process.port) for _ in range(count)]
        sent.wait()
        if len(signals) == 1:
            process.running.send_signal(signals[0])
            until(lambda: refuses(process.port))
            assert all(answer.result(PATIENCE) > 0 for answer in answers)
            assert process.ended() == 0
            assert process.said.count("POST /api/v1/ask 200") == count
        else:
            with held(mark):
                process.running.send_signal(signals[0])
                until(lambda: refuses(process.port))
                process.running.send_signal(signals[1])
                assert process.ended() == 128 + signals[1]
            assert all(answer.exception(PATIENCE) for answer in answers)
        assert "Traceback" not in process.said
        until(lambda: not left(mark))


def test_two_signals_at_any_moment_end_it_with_the_code_of_the_first_or_of_the_second(
    command: Command,
) -> None:
    """Also where the second one finds that all is done but the last steps of the process."""
    for number in range(round(3 * max(1, scale))):
        with started(command) as process:
            process.running.send_signal(signal.SIGTERM)
            time.sleep(0.1 + number * 0.618 % 0.5)
            process.running.send_signal(signal.SIGTERM)
            assert process.ended() in (0, 128 + signal.SIGTERM)
            assert "Traceback" not in process.said


def test_it_says_where_it_serves_and_asks_for_the_token_that_it_never_says(command: Command) -> None:
    with started(command, "--host", "0.0.0.0", ASSISTANT_TOKEN=TOKEN) as process:
        assert process.ask(json.dumps({"question": APPLE}))[0] == 401
        process.running.terminate()
        assert process.ended() == 0
    assert f"Serving {command.notes} at http://0.0.0.0:{process.port}/" in process.said
    assert "every request has to bring the token, and TLS is left to a proxy" in process.said
    assert "POST /api/v1/ask 401" in process.said
    assert TOKEN not in process.said


def test_what_it_cannot_serve_it_says_at_once(command: Command) -> None:
    refused = command.run("serve", "--port", "0", "--host", "0.0.0.0")
    assert refused.returncode == 2
    assert "ASSISTANT_TOKEN" in refused.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = command.run("serve", "--port", port)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert f"127.0.0.1 port {port} cannot be used" in refused.stderr
    (command.notes / "fruit.md").unlink()
    command.notes.rmdir()
    refused = command.run("serve", "--port", "0")
    assert refused.returncode == 3
    assert "Point --notes at a folder" in refused.stderr


def test_the_help_says_that_a_token_in_the_command_line_is_seen(command: Command) -> None:
    told = " ".join(command.run("serve", "--help").stdout.split())
    assert "Other users see it in the list of processes: prefer the variable ASSISTANT_TOKEN." in told
