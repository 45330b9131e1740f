"""What a queue wants done, in the order given."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prepare:
    """Stop the caller's music and let him hear his taker's document; `CallerPrepared` tells its end."""

    call_sid: str
    taker: str


@dataclass(frozen=True, slots=True)
class Resume:
    """His taker has gone: stop the taker's document and let the caller wait again, at his old place."""

    call_sid: str


@dataclass(frozen=True, slots=True)
class Connect:
    """Let the two hear each other; both have left the queue."""

    call_sid: str
    taker: str
    waited_s: float


Command = Prepare | Resume | Connect
