"""The program as people run it: a process of its own, its output, its errors in one line, its exit status."""

import asyncio
import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from townhall import __version__
from townhall.cli import main
from townhall.cli.serving import JsonLines
from townhall.store import Store


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("TOWNHALL_")}
    return env | {"TOWNHALL_DATA_DIR": str(tmp_path / "data"), "HOME": str(tmp_path)}


@pytest.fixture
def run(
    tmp_path: Path,
    environment: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Runs `townhall` in this process, with a data directory of its own; keywords are further settings."""

    def run(*arguments: str, **settings: str) -> Done:
        env = environment | {f"TOWNHALL_{name.upper()}": value for name, value in settings.items()}
        with monkeypatch.context() as patch, contextlib.chdir(tmp_path):
            patch.setattr(os, "environ", env)
            patch.setattr(sys, "argv", ["townhall", *arguments])
            with pytest.raises(SystemExit) as ended:
                main()
        return Done(int(ended.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def run_apart(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Runs `townhall` as a process without a terminal; `given` is its stdin."""

    def run(*arguments: str, given: str = "", **settings: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "townhall.cli", *arguments],
            input=given,
            capture_output=True,
            text=True,
            env=environment | {f"TOWNHALL_{name.upper()}": value for name, value in settings.items()},
            cwd=tmp_path,
            start_new_session=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


def rows(done: Done) -> list[list[str]]:
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def refused(done: Done, status: int) -> str:
    """The one line that says why."""
    assert done.returncode == status
    assert done.stdout == ""
    assert done.stderr.startswith("townhall: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_version_is_said(run: Run) -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"townhall {__version__}\n")


@pytest.mark.parametrize("command", ["serve", "line", "number", "status", "call", "bench"])
def test_every_command_explains_itself_without_colour_in_a_pipe(run: Run, command: str) -> None:
    overview, own = run("--help"), run(command, "--help")
    assert f"│ {command}" in overview.stdout
    assert own.returncode == 0
    assert "\x1b" not in overview.stdout + own.stdout


def test_help_does_not_wait_for_what_it_does_not_need() -> None:
    """No timed assert: what makes a start slow is what it imports."""
    program = "import sys, townhall.cli; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    slow = {"numpy", "pydantic", "sqlalchemy", "starlette", "uvicorn", "twilio", "soxr", "lxml", "alembic"}
    assert slow.isdisjoint(modules.stdout.split())


def test_unknown_command_or_option_is_a_usage_error(run: Run) -> None:
    assert run("lines").returncode == 2
    assert run("line", "list", "--all").returncode == 2
    assert run().returncode == 2


# ---- lines


def test_fresh_install_has_line_1000_without_pins(run: Run) -> None:
    assert rows(run("line", "list"))[1:] == [["1000", "Town Hall", "en-US", "default", "none", ""]]


def test_line_is_added_changed_and_removed(run: Run, tmp_path: Path) -> None:
    added = run(
        "line", "add", "2000", "--conference", "Board", "--welcome", "Hello.", "--speaker-pin", "123456",
        "--moderator-pin", "654321", "--voice", "woman", "--language", "de-DE", "--music", "silence",
        "--max-participants", "40",
    )  # fmt: skip
    assert (added.returncode, added.stdout, added.stderr) == (0, "Line 2000 is there.\n", "")
    assert rows(run("line", "list"))[2] == [
        "2000",
        "Board",
        "de-DE",
        "silence",
        "speaker and moderator",
        "Hello.",
    ]
    line = stored(tmp_path, "2000")
    assert (line.speaker_pin, line.moderator_pin, line.voice) == ("123456", "654321", "woman")
    assert (line.music, line.max_participants) == ("", 40)

    changed = run(
        "line", "change", "2000", "--speaker-pin", "", "--music", "https://x.example/a.mp3", "--voice", ""
    )
    assert changed.returncode == 0
    line = stored(tmp_path, "2000")
    assert (line.speaker_pin, line.moderator_pin, line.voice) == (None, "654321", None)
    assert (line.music, line.welcome) == ("https://x.example/a.mp3", "Hello.")
    assert run("line", "change", "2000", "--music", "default", "--welcome", "").returncode == 0
    assert (stored(tmp_path, "2000").music, stored(tmp_path, "2000").welcome) == (None, None)

    assert run("line", "remove", "2000").stdout == "Line 2000 is removed.\n"
    assert len(rows(run("line", "list"))) == 2


def stored(tmp_path: Path, number: str):  # type: ignore[no-untyped-def]
    async def read():  # type: ignore[no-untyped-def]
        store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/data/townhall.db")
        try:
            return await store.lines.get(number)
        finally:
            await store.close()

    return asyncio.run(read())


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["add", "1000"], 1, "exists already"),
        (["add", "a b"], 2, "the number cannot be 'a b'"),
        (["add", "2000", "--moderator-pin", "123"], 2, "4 to 12 digits"),
        (["add", "2000", "--moderator-pin", "1234", "--speaker-pin", "1234"], 2, "must differ"),
        (["add", "2000", "--language", "German!"], 2, "language"),
        (["add", "2000", "--music", "loud"], 2, "'loud'"),
        (["add", "2000", "--max-participants", "9999"], 2, "participants"),
        (["add", "2000", "--conference", ""], 2, "conference"),
        (["add", "2000", "--when-full", "music"], 2, "busy or spoken"),
        (["change", "1000"], 2, "nothing to change"),
        (["change", "1000", "--speaker-pin", "x"], 2, "4 to 12 digits"),
        (["change", "9999", "--welcome", "Hi"], 1, "there is no line 9999"),
        (["remove", "9999"], 1, "there is no line 9999"),
    ],
)
def test_line_command_that_cannot_be_is_refused(
    run: Run, arguments: list[str], status: int, said: str
) -> None:
    reason = refused(run("line", *arguments), status)
    assert said in reason


def test_pin_is_never_repeated_and_short_ones_draw_advice(run: Run) -> None:
    assert "12345678901234" not in refused(run("line", "add", "2", "--speaker-pin", "12345678901234"), 2)
    advised = run("line", "add", "2000", "--moderator-pin", "1379")
    assert "docs/howto/pins.md" in advised.stderr
    assert "1379" not in advised.stdout + advised.stderr


def test_pin_can_be_asked_for(run_apart: Run, tmp_path: Path) -> None:
    asked = run_apart("line", "add", "2000", "--moderator-pin", "-", given="135790\n135790\n")
    assert asked.returncode == 0
    assert "135790" not in asked.stdout + asked.stderr
    assert stored(tmp_path, "2000").moderator_pin == "135790"


# ---- numbers


def test_number_is_added_changed_and_removed(run: Run) -> None:
    url, fallback = "http://127.0.0.1:5000/voice#rc=2", "https://example.com/sorry"
    assert run("number", "add", "1001", url, "--fallback", fallback).stdout == "Number 1001 is there.\n"
    assert rows(run("number", "list"))[1:] == [["1001", f"POST {url}", f"POST {fallback}", ""]]
    changed = run(
        "number", "change", "1001", "--url", fallback, "--method", "GET", "--fallback", "",
        "--status-callback", "https://example.com/over", "--status-callback-method", "GET",
    )  # fmt: skip
    assert changed.returncode == 0
    assert rows(run("number", "list"))[1:] == [
        ["1001", f"GET {fallback}", "", "GET https://example.com/over"]
    ]
    assert run("number", "remove", "1001").returncode == 0
    assert rows(run("number", "list"))[1:] == []


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["add", "1001", "voice.xml"], 2, "voice URL cannot be 'voice.xml'"),
        (["add", "1001", "ftp://example.com/"], 2, "http"),
        (["add", "1 1", "https://example.com/"], 2, "number cannot be"),
        (["add", "1001", "https://example.com/", "--fallback", "x"], 2, "fallback URL"),
        (["change", "1001"], 2, "nothing to change"),
        (["change", "1001", "--method", "GET"], 1, "there is no number 1001"),
        (["remove", "1001"], 1, "there is no number 1001"),
    ],
)
def test_number_command_that_cannot_be_is_refused(
    run: Run, arguments: list[str], status: int, said: str
) -> None:
    assert said in refused(run("number", *arguments), status)


def test_voice_url_cannot_be_taken_away(run: Run) -> None:
    run("number", "add", "1001", "https://example.com/voice")
    assert "voice URL" in refused(run("number", "change", "1001", "--url", ""), 2)


# ---- settings, status, calls


@pytest.mark.parametrize("command", [["serve"], ["status"], ["line", "list"], ["number", "list"]])
def test_bad_setting_stops_every_command_with_one_line(run: Run, command: list[str]) -> None:
    assert "TOWNHALL_SIP_PORT: read 'x'; allowed" in refused(run(*command, sip_port="x"), 2)
    assert "did you mean TOWNHALL_SIP_PORT?" in refused(run(*command, sip_prot="5060"), 2)


def test_database_that_cannot_be_opened_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(run("line", "list", database_url=f"sqlite:///{tmp_path}/file/town.db"), 1)


def test_server_that_finds_its_port_taken_says_which(run_apart: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        reason = refused(run_apart("serve", http_port=port, sip_port="0"), 1)
    assert f"TOWNHALL_HTTP_PORT {port}" in reason


def test_server_on_an_address_of_another_machine_says_so(run_apart: Run) -> None:
    assert "TOWNHALL_BIND 203.0.113.5 is not" in refused(run_apart("serve", bind="203.0.113.5"), 1)


def test_bench_of_a_course_that_is_not_there_is_refused(run: Run) -> None:
    assert "there are answers" in refused(run("bench", "--only", "elephants"), 2)


HEALTH = {
    "status": "ok",
    "version": "0.1.0",
    "uptime_s": 93_784.0,
    "sip": ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"],
    "calls": 3,
    "conferences": 1,
    "media": {
        "legs": 3,
        "ticks": 50,
        "tick_p50_ms": 0.31,
        "tick_p99_ms": 0.5,
        "tick_max_ms": 0.92,
        "ticks_late": 0,
        "packets_received": 150,
        "packets_sent": 149,
        "unknown_source": 2,
        "malformed": 1,
        "cpu_s": 1.5,
    },
}


@pytest.fixture
def health() -> Iterator[tuple[str, dict[str, object]]]:
    """A server with nothing but /health; the dictionary is what it answers."""
    answer: dict[str, object] = dict(HEALTH)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(answer).encode() if self.path == "/health" else b"no"
            self.send_response(200 if answer.get("status") == "ok" else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answer
    server.shutdown()
    server.server_close()
    thread.join()


def test_status_shows_the_figures(run: Run, health: tuple[str, dict[str, object]]) -> None:
    url, _ = health
    done = run("status", "--url", url)
    assert done.returncode == 0
    facts = dict(line.split("  ", 1) for line in done.stdout.splitlines())
    assert {name: value.strip() for name, value in facts.items()} == {
        "status": "ok, version 0.1.0",
        "up for": "1 d 2 h",
        "listens at": "udp:127.0.0.1:5060  tcp:127.0.0.1:5060",
        "calls": "3",
        "conferences": "1",
        "media legs": "3",
        "media ticks": "p50 0.3, p99 0.5, max 0.9 ms; 0 of 50 late",
        "packets": "150 in, 149 out",
        "dropped": "2 from unknown sources, 1 malformed",
    }
    assert json.loads(run("status", "--json", http_port=url.rpartition(":")[2]).stdout) == HEALTH


def test_status_says_over_how_many_media_processes_the_legs_are_spread(
    run: Run, health: tuple[str, dict[str, object]]
) -> None:
    url, answer = health
    answer["media"] = {**answer["media"], "processes": 2}  # type: ignore[dict-item]
    assert "3 in 2 processes" in run("status", "--url", url).stdout


def test_status_of_a_server_that_stops_fails(run: Run, health: tuple[str, dict[str, object]]) -> None:
    url, answer = health
    answer.update(status="stopping", media=None)
    done = run("status", "--url", url)
    assert done.returncode == 1
    assert "stopping" in done.stdout


@pytest.mark.parametrize("strange", [{"status": "ok", "media": {}}, {"status": "ok", "uptime_s": None}, {}])
def test_status_of_something_else_is_said(
    run: Run, health: tuple[str, dict[str, object]], strange: dict[str, object]
) -> None:
    url, answer = health
    answer.clear()
    answer.update(strange)
    assert "is not a Townhall" in refused(run("status", "--url", url), 1)


def test_status_without_a_server_says_so(run: Run) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    assert "is `townhall serve` running?" in refused(run("status", http_port=port), 1)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["sip:1000@127.0.0.1", "--press", "x"], 2, "--press 'x'"),
        (["sip:1000@no-such-host.invalid"], 1, "cannot be reached"),
    ],
)
def test_call_that_cannot_be_made_is_refused(run: Run, arguments: list[str], status: int, said: str) -> None:
    assert said in refused(run("call", *arguments), status)


def test_call_of_a_file_that_is_not_there_says_so(run: Run) -> None:
    done = run("call", "sip:1000@127.0.0.1:9", "--play", "missing.wav")
    assert done.returncode != 0
    assert "missing.wav" in done.stderr
    assert "Traceback" not in done.stderr


def test_json_log_is_one_object_a_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.getLogger("townhall.x").makeRecord(
            "townhall.x", logging.ERROR, "f", 1, "über %s", ("all",), sys.exc_info()
        )
    line = JsonLines().format(record)
    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["level"], entry["logger"], entry["message"]) == ("error", "townhall.x", "über all")
    assert "ValueError" in entry["exception"]
