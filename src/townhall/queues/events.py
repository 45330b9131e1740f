"""What happens to a queue: the inputs of its rules, in the past tense.

A *caller* waits in the queue, a *taker* is a call that dials it. An event about a call that is not (or no
longer) there changes nothing: a hang-up and a connection may cross.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallerJoined:
    call_sid: str


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """He hung up, was given another document, or his wait document said `<Leave>`."""

    call_sid: str


@dataclass(frozen=True, slots=True)
class TakerJoined:
    """`prepares`: the caller is to hear a document of the taker's (`<Queue url>`) before they talk."""

    call_sid: str
    prepares: bool = False


@dataclass(frozen=True, slots=True)
class TakerLeft:
    """He went before he was connected: hung up, redirected, or his time was up."""

    call_sid: str


@dataclass(frozen=True, slots=True)
class CallerPrepared:
    """The caller has heard his taker's document."""

    call_sid: str


Event = CallerJoined | CallerLeft | TakerJoined | TakerLeft | CallerPrepared
