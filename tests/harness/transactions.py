"""A network for one transaction: it notes what is sent and told, under a clock that the test turns."""

from collections.abc import Callable

from townhall.sip import Request, Response, parse_message
from townhall.sip.hop import Hop
from townhall.sip.transaction import (
    InviteClientTransaction,
    InviteServerTransaction,
    NonInviteClientTransaction,
    NonInviteServerTransaction,
    TimerQueue,
    TimerValues,
    Transaction,
)

MACHINES = {
    "invite client": (InviteClientTransaction, "INVITE"),
    "non-invite client": (NonInviteClientTransaction, "BYE"),
    "invite server": (InviteServerTransaction, "INVITE"),
    "non-invite server": (NonInviteServerTransaction, "BYE"),
}


def create_request(method: str) -> Request:
    number_and_method = f"1 {'INVITE' if method == 'ACK' else method}"
    return Request(
        method,
        "sip:bob@192.0.2.2",
        [
            ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKtest"),
            ("Max-Forwards", "70"),
            ("From", "<sip:alice@192.0.2.1>;tag=a"),
            ("To", "<sip:bob@192.0.2.2>"),
            ("Call-ID", "call@192.0.2.1"),
            ("CSeq", number_and_method if method != "ACK" else "1 ACK"),
        ],
    )


class Bench:
    """One transaction; `log` holds what it did since the last look, as (what, status or method)."""

    def __init__(self, machine: str, transport: str = "udp") -> None:
        self.timers = TimerQueue()
        self.values = TimerValues()
        self.now = 0.0
        self.log: list[tuple[str, int | str]] = []
        self.sent_at: list[tuple[float, int | str]] = []
        kind, self.method = MACHINES[machine]
        self.request = create_request(self.method)
        hop = Hop(transport, "192.0.2.2", 5060)
        self.transaction: Transaction
        if machine.endswith("client"):
            self.transaction = kind(self.request, hop, self, ("key",), self)  # type: ignore[arg-type,call-arg]
        else:
            self.transaction = kind(self.request, hop, hop, self, ("key",))  # type: ignore[arg-type]
            if isinstance(self.transaction, InviteServerTransaction):
                self.transaction.user = self
        self.transaction.start(self.now)  # type: ignore[attr-defined]

    def take_log(self) -> list[tuple[str, int | str]]:
        log, self.log = self.log, []
        return log

    def receive(self, what: int | str) -> None:
        if isinstance(what, str):
            message: Request | Response = create_request(what)
        else:
            message = self.request.create_response(what, to_tag="b")
        self.transaction.receive(message, self.now)  # type: ignore[attr-defined]

    def respond(self, status: int) -> None:
        response = self.request.create_response(status, to_tag="b")
        self.transaction.respond(response, self.now)  # type: ignore[attr-defined]

    def run_until(self, end: float, stop: Callable[[], bool] = lambda: False) -> None:
        while (at := self.timers.next_timer()) is not None and at <= end and not stop():
            self.now = at
            self.timers.run(at)
        self.now = end

    # The network

    def send(self, data: bytes, hop: Hop, transaction: Transaction) -> None:
        message = parse_message(data)
        what = message.method if isinstance(message, Request) else message.status
        self.log.append(("sends", what))
        self.sent_at.append((round(self.now, 3), what))

    def transaction_terminated(self, transaction: Transaction) -> None:
        self.log.append(("ends", ""))

    # The user

    def response_received(self, transaction: object, response: Response, now: float) -> None:
        self.log.append(("hears", response.status))

    def request_failed(self, transaction: object, failure: str, now: float) -> None:
        self.log.append(("fails", failure))

    def ack_received(self, transaction: object, ack: Request, now: float) -> None:
        self.log.append(("hears", "ACK"))

    def response_failed(self, transaction: object, failure: str, now: float) -> None:
        self.log.append(("fails", failure))
