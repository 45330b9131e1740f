"""Requests that schemathesis makes from the table of shapes: none breaks the server or a stranger's call.

One caller is in a conference and one in a queue, and whatever has a SID is there to be changed and deleted.
Two others, whom no request names, talk all the time.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig
from tests.harness.api_shapes import check_answer
from tests.harness.documents import conference
from tests.harness.numbers import install
from tests.harness.openapi import KNOWN, describe, path_parameters
from tests.harness.queueing import enqueue
from tests.harness.remotes import PythonRemote, RemoteError
from tests.harness.server import ACCOUNT_SID, AUTH_TOKEN, TownhallServer
from tests.harness.webhook import Webhook

from townhall.phone import Phone, PhoneCall, PhoneSettings

pytestmark = pytest.mark.xdist_group("rest-api")
T = TypeVar("T")

CONFIG = SchemathesisConfig()
CONFIG.projects.default.phases.coverage.enabled = False
CONFIG.projects.default.generation.deterministic = True
schema = schemathesis.openapi.from_dict(describe(), config=CONFIG)


class Callers:
    """Phones in a loop of their own, beside tests that are no coroutines."""

    def __init__(self, server: TownhallServer) -> None:
        self._server = server
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._phone = Phone(PhoneSettings(host=server.address, tone_hz=440.0))
        self.do(self._phone.__aenter__())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def call(self, number: str) -> PhoneCall:
        return self.do(self._phone.call(self._server.sip_uri(number)))

    def close(self) -> None:
        self.do(self._phone.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class House:
    """A server, its callers, and the SIDs of what there is; what was ended or deleted is made anew."""

    def __init__(self, server: TownhallServer, webhook: Webhook) -> None:
        self.server = server
        self.callers = Callers(server)
        self._remote = PythonRemote(server.url, ACCOUNT_SID, ACCOUNT_SID, AUTH_TOKEN)
        self._webhook = webhook
        self._calls: dict[str, tuple[PhoneCall, str]] = {}
        self._found: dict[str, str] = {}
        webhook.on("/2000/voice", conference("fuzzed", wait_url=""))
        webhook.on("/2001/voice", enqueue("fuzzed", wait_url=""))
        webhook.on("/2002/voice", conference("bystanders", beep="false"))
        self.bystanders = [self.callers.call("2002"), self.callers.call("2002")]

    def close(self) -> None:
        self.callers.close()
        self._remote.close()

    def known(self, path: str) -> dict[str, str]:
        """Stand-ins of the table's document and what they stand for in this path."""
        call = self._live_call("2001" if "/Queues/" in path else "2000")
        for _, prefix in path_parameters(path):
            if prefix in FINDING and prefix not in self._found:
                self._found[prefix] = FINDING[prefix](self._remote)
        found = {**self._found, "AC": ACCOUNT_SID, "CA": call}
        return {f"{KNOWN}{prefix}": sid for prefix, sid in found.items()}

    def forget(self) -> None:
        """Something was deleted or ended."""
        self._found.clear()

    def _live_call(self, number: str) -> str:
        call, sid = self._calls.get(number, (None, ""))
        if call is None or call.is_over:
            self.forget()
            before = len(self._webhook.requests(f"/{number}/voice"))
            call = self.callers.call(number)
            sid = self._webhook.requests(f"/{number}/voice")[before].parameters["CallSid"]
            self._calls[number] = call, sid
        return sid


def _first(*path: str, **parameters: object) -> Callable[[PythonRemote], str]:
    """The newest of what the API lists there, made if there is none."""

    def finding(remote: PythonRemote) -> str:
        found = remote.do(path, "list", {"limit": 1})
        if not found and parameters:
            try:
                found = [remote.do(path, "create", parameters)]
            except RemoteError as error:  # a caller's <Enqueue> was faster
                if error.status != 409:
                    raise
                found = remote.do(path, "list", {"limit": 1})
        return str(found[0]["sid"]) if found else ""

    return finding


FINDING = {
    "AP": _first("applications", friendly_name="fuzzed"),
    "CF": _first("conferences"),
    "NO": _first("notifications"),
    "PN": _first("incoming_phone_numbers"),
    "QU": _first("queues", friendly_name="fuzzed"),
    "RE": _first("recordings"),
    "SK": _first("keys", friendly_name="fuzzed"),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    directory: Path = tmp_path_factory.mktemp("fuzzed")
    with Webhook(AUTH_TOKEN) as webhook:
        install(directory / "townhall.db", webhook)
        with TownhallServer(directory, webhook_inner_origins=webhook.url) as server:
            house = House(server, webhook)
            yield house
            house.close()


@schema.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_no_request_breaks_the_server(case: schemathesis.Case, house: House) -> None:
    known = house.known(case.operation.path)
    for values in (case.path_parameters, case.body):
        if isinstance(values, dict):
            values.update({name: known.get(value, value) for name, value in values.items() if _text(value)})
    response = case.call(base_url=house.server.url, auth=(ACCOUNT_SID, AUTH_TOKEN))
    path = response.request.path_url.partition("?")[0]
    shown = f"{case.method} {response.request.url} {case.body!r}: {response.status_code} {response.text}"
    if response.status_code == 204:
        house.forget()
    assert response.status_code < 500, shown
    assert response.status_code == 204 or response.headers["content-type"] == ["application/json"], shown
    check_answer(case.method, path, response.status_code, response.content)
    assert response.status_code < 400 or len(response.json()["message"]) < 1000, shown
    assert all(not call.is_over for call in house.bystanders), shown


def _text(value: object) -> bool:
    return isinstance(value, str)


def test_log_of_the_server_tells_of_no_fault(house: House) -> None:
    assert "Traceback" not in house.server.log
