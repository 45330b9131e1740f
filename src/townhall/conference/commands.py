"""What a conference wants done: the outputs of its state machine, in the imperative.

`calls` carries them out, in order, against the media process, the callers' tasks, the store and the
callbacks.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StartWaiting:
    """Let the participant hear his wait music (`waitUrl`); he neither hears nor is heard."""

    call_sid: str


@dataclass(frozen=True, slots=True)
class StopWaiting:
    """Stop the wait or hold music at once, mid-word."""

    call_sid: str


@dataclass(frozen=True, slots=True)
class StartHold:
    """Let the participant hear his hold music (`HoldUrl`)."""

    call_sid: str


@dataclass(frozen=True, slots=True)
class StopHold:
    call_sid: str


@dataclass(frozen=True, slots=True)
class Mix:
    """The participant's place in the conference's bus: the whole of it, whenever any of it changed."""

    call_sid: str
    hears: bool
    heard: bool
    whisper_to: str | None = None


@dataclass(frozen=True, slots=True)
class TrustSound:
    """Whatever comes from this participant's telephone is never again taken for hold music."""

    call_sid: str


@dataclass(frozen=True, slots=True)
class Beep:
    """Beep into the bus. `owner` does not hear it (the one who enters); None: all hear it (he has left)."""

    kind: str
    """`enter` or `exit`."""
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """Take the participant out of the bus and forget him: his `<Dial>` ends, his TwiML goes on (`action`,
    next verb or hang-up).

    Every participant is released exactly once, also the one who hung up: there it only cleans up. His music
    has been stopped before; no `Mix` comes with it or after it.
    """

    call_sid: str


@dataclass(frozen=True, slots=True)
class Notify:
    """A status callback's event with the parameters that are its own, in the sheet's order (section 12).

    Emitted for every event; whether it is sent depends on the subscription (`subscribed`). The sender adds
    `ConferenceSid`, `FriendlyName`, `AccountSid`, `SequenceNumber`, `Timestamp` and `StatusCallbackEvent`
    (`event`). Subscribed events are numbered from 1 without a gap, so the receiver sees when one is missing;
    others carry 0.
    """

    event: str
    sequence_number: int
    subscribed: bool
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Hint:
    """Write to the error log of this call what its document's author should know."""

    call_sid: str
    message: str


@dataclass(frozen=True, slots=True)
class StartRecording:
    pass


@dataclass(frozen=True, slots=True)
class StopRecording:
    pass


@dataclass(frozen=True, slots=True)
class Close:
    """The conference is completed: its name is free again. `reason` is Twilio's `ReasonConferenceEnded`."""

    reason: str
    call_sid_ending: str | None = None


Command = (
    StartWaiting
    | StopWaiting
    | StartHold
    | StopHold
    | Mix
    | TrustSound
    | Beep
    | Release
    | Notify
    | Hint
    | StartRecording
    | StopRecording
    | Close
)
