"""A real server for tests: `townhall serve` as a process of its own, with its own data directory, address and
ports.
"""

import contextlib
import http.client
import itertools
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT_SID = "AC" + "1" * 32
READY_WITHIN_S = 100.0
GONE_WITHIN_S = 30.0
_ROOT = Path(__file__).resolve().parents[2]
_CLI = (sys.executable, "-c", "from townhall.cli import main; main()")


class ServerFailed(AssertionError):
    """The server did not start or stop as it should; its log is in the message."""


_addresses = itertools.count(1)


def own_address() -> str:
    """A loopback address that nothing else uses, so that all its ports are free: of this process, of this
    call.
    """
    number = os.getpid()
    return f"127.{next(_addresses) % 250 + 1}.{(number >> 8) & 0xFF}.{(number & 0xFF) or 1}"


class TownhallServer:
    """`with TownhallServer(directory) as server: ... server.sip_uri("1000")`."""

    def __init__(self, data_dir: Path, *, address: str | None = None, **settings: str) -> None:
        self.data_dir = data_dir
        self.address = address or own_address()
        self.http_port, self.sip_port = free_ports(self.address, 2)
        self.log_file = data_dir / "server.log"
        self._settings = {
            "DATA_DIR": str(data_dir),
            "BIND": self.address,
            "HTTP_PORT": str(self.http_port),
            "SIP_PORT": str(self.sip_port),
            "RTP_PORTS": "20000-20127",
            "ACCOUNT_SID": ACCOUNT_SID,
            "AUTH_TOKEN": AUTH_TOKEN,
            "LOG_LEVEL": "debug",
            "HOLD_MUSIC_S": "0",  # the phones of stories send tones for as long as it takes
            **{name.upper(): value for name, value in settings.items()},
        }
        self.authority: Path | None = None
        """Who signs its certificate, where it has one: then it speaks HTTPS."""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        bare = {name: value for name, value in os.environ.items() if not name.startswith("TOWNHALL_")}
        return {**bare, "PYTHONUNBUFFERED": "1", **{f"TOWNHALL_{n}": v for n, v in self._settings.items()}}

    @property
    def url(self) -> str:
        return f"{'https' if self.authority else 'http'}://{self.address}:{self.http_port}"

    def sip_uri(self, number: str, address: str | None = None) -> str:
        """`address`: another one than its first, of those that it is bound to."""
        host = address or self.address
        return (
            f"sip:{number}@[{host}]:{self.sip_port}"
            if ":" in host
            else f"sip:{number}@{host}:{self.sip_port}"
        )

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def wait_for_log(self, text: str, within_s: float = 30.0) -> None:
        """Wait until its log says this."""
        deadline = time.monotonic() + within_s
        while text not in self.log:
            assert time.monotonic() < deadline, f"{text!r} was not logged\n{self.log[-4000:]}"
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `townhall ARGUMENTS` with this server's settings and wait for it."""
        done = subprocess.run(
            [*_CLI, *arguments],
            cwd=_ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        if check and done.returncode:
            raise ServerFailed(f"townhall {' '.join(arguments)} failed\n{done.stdout}{done.stderr}")
        return done

    def start(self) -> None:
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*_CLI, "serve"],
                cwd=_ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._is_ready():
            if self._process.poll() is not None:
                raise ServerFailed(
                    f"the server ended with {self._process.returncode} before it was ready\n{self.log}"
                )
            if time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(f"the server was not ready after {READY_WITHIN_S:g} s\n{self.log}")
            time.sleep(0.05)

    def stop(self) -> None:
        """SIGTERM, as an operator stops it; raises `ServerFailed` when it does not leave in time or leaves
        badly.
        """
        process = self._process
        if process is None:
            return
        self.signal(signal.SIGTERM)
        try:
            status = process.wait(GONE_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(
                f"the server did not leave within {GONE_WITHIN_S:g} s\n{self.log[-8000:]}"
            ) from None
        self._process = None
        if status:
            raise ServerFailed(f"the server left with status {status}\n{self.log[-8000:]}")

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL: the crash."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def health(self) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self.address, self.http_port, timeout=20)
        if self.authority is not None:
            trusted = ssl.create_default_context(cafile=self.authority)
            trusted.check_hostname = False  # whatever its name, it is the one that we have started
            connection = http.client.HTTPSConnection(
                self.address, self.http_port, timeout=20, context=trusted
            )
        with contextlib.closing(connection):
            connection.request("GET", "/health")
            answer = connection.getresponse()
            found: dict[str, Any] = json.loads(answer.read())
            return found | {"http_status": answer.status}

    def is_idle(self) -> bool:
        """Whether it has neither calls nor conferences."""
        now = self.health()
        return not now["calls"] and not now["conferences"]

    def _is_ready(self) -> bool:
        try:
            return bool(self.health()["http_status"] == 200)
        except (OSError, ValueError, http.client.HTTPException):
            return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def free_ports(address: str, count: int) -> list[int]:
    """So many ports, each another, that are free for UDP and TCP."""
    found: list[int] = []
    with contextlib.ExitStack() as held:
        while len(found) < count:
            stream = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            stream.bind((address, 0))
            port = int(stream.getsockname()[1])
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram, contextlib.suppress(OSError):
                datagram.bind((address, port))
                found.append(port)
    return found
