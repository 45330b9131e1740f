"""What a page sends: JSON text frames, one object each, `{"type", "version", "payload"}` (protocol 1.6 and
1.5).

A frame becomes one of the structs here, or `FrameError`. Fields that we have no use for are passed over.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from townhall.errors import TownhallError

HEARTBEAT = "\n"

CallSID = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]
"""CA…, or the TJS… that a page gives a call before it knows better."""
Description = Annotated[str, msgspec.Meta(min_length=1, max_length=49_152)]
Short = Annotated[str, msgspec.Meta(max_length=512)]


class FrameError(TownhallError):
    """A frame that makes no sense. `is_rubbish`: it is not even a message, so there is no point in going
    on.
    """

    def __init__(self, message: str, is_rubbish: bool = False) -> None:
        super().__init__(message)
        self.is_rubbish = is_rubbish


class Listen(msgspec.Struct, frozen=True, rename="camel"):
    """The token: first of all, and again when the page renews it."""

    token: str = ""
    reconnect_timeout: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0.0


class MediaKinds(msgspec.Struct, frozen=True):
    audio: bool = True


class Register(msgspec.Struct, frozen=True):
    """`audio` false means to be called no longer."""

    media: MediaKinds = MediaKinds()


class CallOptions(msgspec.Struct, frozen=True):
    params: Annotated[str, msgspec.Meta(max_length=32_768)] = ""


class Invite(msgspec.Struct, frozen=True):
    """A call from the page; with `reconnect`, one that is going on and that this socket takes over."""

    callsid: CallSID
    sdp: Description
    reconnect: Short | None = None
    twilio: CallOptions = CallOptions()


class Answer(msgspec.Struct, frozen=True):
    callsid: CallSID
    sdp: Description


class Reject(msgspec.Struct, frozen=True):
    callsid: CallSID


class Hangup(msgspec.Struct, frozen=True):
    callsid: CallSID


class Digits(msgspec.Struct, frozen=True):
    callsid: CallSID
    dtmf: Annotated[str, msgspec.Meta(max_length=128)]


class Reinvite(msgspec.Struct, frozen=True):
    """An ICE restart's offer."""

    callsid: CallSID
    sdp: Description


class UserMessage(msgspec.Struct, frozen=True):
    callsid: CallSID
    voiceeventsid: Short = ""


Payload = Listen | Register | Invite | Answer | Reject | Hangup | Digits | Reinvite | UserMessage

_KINDS: dict[str, type[Payload]] = {
    "listen": Listen,
    "register": Register,
    "invite": Invite,
    "answer": Answer,
    "reject": Reject,
    "hangup": Hangup,
    "dtmf": Digits,
    "reinvite": Reinvite,
    "message": UserMessage,
}


class _Envelope(msgspec.Struct, frozen=True):
    type: Annotated[str, msgspec.Meta(max_length=64)]
    payload: msgspec.Raw = msgspec.Raw(b"{}")


_envelopes = msgspec.json.Decoder(_Envelope)
_payloads: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(kind) for name, kind in _KINDS.items()
}


def read_frame(text: str) -> Payload:
    """The message in a frame; raises `FrameError`."""
    try:
        envelope = _envelopes.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise FrameError('a JSON object with a "type" was expected', is_rubbish=True) from None
    decoder = _payloads.get(envelope.type)
    if decoder is None:
        raise FrameError(f"messages of the type {envelope.type[:40]!r} are not known here")
    try:
        payload: Payload = decoder.decode(envelope.payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise FrameError(f"{envelope.type}: {error}"[:300]) from None
    return payload


def write_frame(kind: str, payload: dict[str, object]) -> str:
    """A frame to a page."""
    return msgspec.json.encode({"type": kind, "version": "1.6", "payload": payload}).decode()
