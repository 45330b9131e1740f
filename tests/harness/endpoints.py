"""SIP endpoints without sockets, under a clock that the test turns.

`Script` plays one endpoint against messages that the test writes; `LossyPair` joins two over a network that
loses, delays and repeats.
"""

import random
from collections.abc import Callable
from itertools import count

from townhall.sip import Request, Response, parse_message
from townhall.sip.endpoint import Endpoint, EndpointSettings
from townhall.sip.events import EndpointEvent
from townhall.sip.hop import Hop

OUR = ("192.0.2.10", 5060)
PEER = ("192.0.2.20", 5060)
SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
OTHER_SDP = SDP.replace(b"4000", b"5000")
SDP_TYPE = ("Content-Type", "application/sdp")
Message = Request | Response


def create_endpoint(**settings: object) -> Endpoint:
    tokens = count(1)
    return Endpoint(EndpointSettings(**settings), lambda: f"t{next(tokens)}", lambda low, high: low)  # type: ignore[arg-type]


class Script:
    """One endpoint; the test is its only peer."""

    def __init__(self, transport: str = "udp", **settings: object) -> None:
        self.endpoint = create_endpoint(**settings)
        self.now = 0.0
        self.source = Hop(transport, *PEER, OUR, 1 if transport == "tcp" else None)
        self.events: list[EndpointEvent] = []
        self.hops: list[Hop] = []
        self._branches = count(1)

    def drain(self) -> list[Message]:
        """What the endpoint sent since the last look; its events are kept in `events`."""
        self.events += self.endpoint.take_events()
        sends = self.endpoint.take_sends()
        self.hops += [send.hop for send in sends]
        return [parse_message(send.data) for send in sends]

    def receive(self, message: Message) -> list[Message]:
        """Deliver a message as it would come off the wire; returns what the endpoint sent at once."""
        self.endpoint.receive(parse_message(bytes(message)), self.source, self.now)
        return self.drain()

    def advance(self, seconds: float) -> list[tuple[float, Message]]:
        """Let time pass; returns what was sent, with its time."""
        end = self.now + seconds
        sent: list[tuple[float, Message]] = []
        while (at := self.endpoint.next_timer()) is not None and at <= end:
            self.now = max(self.now, at)
            self.endpoint.handle_timer(self.now)
            sent += [(round(self.now, 3), message) for message in self.drain()]
        self.now = end
        return sent

    def do(self, work: Callable[[float], object]) -> list[Message]:
        """Let our own side act."""
        work(self.now)
        return self.drain()

    def request(
        self,
        method: str,
        *headers: tuple[str, str],
        to_tag: str | None = None,
        cseq: int = 1,
        body: bytes = b"",
        branch: str | None = None,
        uri: str = "sip:1000@192.0.2.10",
        call_id: str = "call",
        from_tag: str = "peer",
    ) -> Request:
        """A request of the peer's, with a branch of its own unless one is given."""
        branch = branch or f"z9hG4bKpeer{next(self._branches)}"
        fields = [
            ("Via", f"SIP/2.0/{self.source.transport.upper()} {PEER[0]}:{PEER[1]};branch={branch}"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:peer@192.0.2.20>;tag={from_tag}"),
            ("To", "<sip:1000@192.0.2.10>" + (f";tag={to_tag}" if to_tag else "")),
            ("Call-ID", call_id),
            ("CSeq", f"{cseq} {method}"),
            *headers,
        ]
        if body and not any(name == "Content-Type" for name, _ in headers):
            fields.append(SDP_TYPE)
        if method in ("INVITE", "UPDATE") and not any(name == "Contact" for name, _ in headers):
            fields.append(("Contact", "<sip:peer@192.0.2.20:5060>"))
        return Request(method, uri, fields, body)


class LossyPair:
    """Two endpoints, `left` and `right`; datagrams take 20 ms and are lost with probability `loss`."""

    def __init__(self, loss: float, seed: int) -> None:
        self.left, self.right = create_endpoint(), create_endpoint()
        self.now = 0.0
        self.events: dict[Endpoint, list[EndpointEvent]] = {self.left: [], self.right: []}
        self._loss = loss
        self._random = random.Random(seed)
        self._order = count()
        self._flying: list[tuple[float, int, Endpoint, bytes]] = []
        self.react: Callable[[Endpoint, EndpointEvent, float], None] = lambda endpoint, event, now: None

    def hop_to_right(self) -> Hop:
        return Hop("udp", *PEER, OUR)

    def drain(self) -> None:
        while True:
            events = [(side, event) for side in (self.left, self.right) for event in side.take_events()]
            if not events:
                break
            for side, event in events:
                self.events[side].append(event)
                self.react(side, event, self.now)
        for side, other in ((self.left, self.right), (self.right, self.left)):
            for send in side.take_sends():
                copies = 0 if self._random.random() < self._loss else 1 + (self._random.random() < 0.05)
                for _ in range(copies):
                    at = self.now + 0.02 + self._random.random() * 0.03
                    self._flying.append((at, next(self._order), other, send.data))

    def run_until(self, done: Callable[[], bool], limit: float) -> bool:
        """Let time pass until `done()`; False when `limit` seconds were not enough."""
        while not done():
            self.drain()
            times = [at for side in (self.left, self.right) if (at := side.next_timer()) is not None]
            times += [flight[0] for flight in self._flying]
            if not times or min(times) > limit:
                return done()
            self.now = max(self.now, min(times))
            due = sorted((f for f in self._flying if f[0] <= self.now), key=lambda flight: flight[:2])
            self._flying = [flight for flight in self._flying if flight[0] > self.now]
            for _, _, side, data in due:
                source = Hop(
                    "udp", *(OUR if side is self.right else PEER), PEER if side is self.right else OUR
                )
                side.receive(parse_message(data), source, self.now)
            for side in (self.left, self.right):
                side.handle_timer(self.now)
            self.drain()
        return True
