"""What Calls create and Participants create have in common: whom to call, as whom, for how long, and who is
told of it.
"""

import re
from dataclasses import dataclass

from townhall.api.engine import sentence
from townhall.api.errors import APIError
from townhall.api.params import Parameters
from townhall.routing import CallRefused
from townhall.twiml.control import CallCallbacks, ConferenceCallbacks, RecordingPlan, RecordingSource

ADDRESS_LENGTH = 512
TIMEOUT_S = 60
LONGEST_TIMEOUT_S = 600
LONGEST_CALL_S = 86_400
TRY_AGAIN_S = 10
CALL_EVENTS = ("initiated", "ringing", "answered", "completed")
_DIGITS = re.compile(r"[0-9A-Da-d#*wW]{0,32}")
_ADDRESS = re.compile(r"[^\s<>\"]+")


@dataclass(frozen=True, slots=True)
class Placing:
    """How a call is placed, whatever it is for."""

    to: str
    from_: str
    caller_id: str | None
    timeout_s: int
    time_limit_s: int | None
    send_digits: str
    sip_auth: tuple[str, str] | None
    status_callback: CallCallbacks | None
    record: RecordingPlan | None


def read_placing(form: Parameters, *, recording_events: frozenset[str]) -> Placing:
    to = _address(form, "To", missing=21201, bad=21211)
    return Placing(
        to=to,
        from_=_address(form, "From", missing=21213, bad=21212),
        caller_id=form.text("CallerId", most=ADDRESS_LENGTH, code=21212) or None,
        timeout_s=form.number("Timeout", 1, LONGEST_TIMEOUT_S, code=21208) or TIMEOUT_S,
        time_limit_s=form.number("TimeLimit", 1, LONGEST_CALL_S),
        send_digits=_digits(form),
        sip_auth=_sip_auth(form),
        status_callback=call_callbacks(form),
        record=_recording(form, recording_events),
    )


def refused_call(error: CallRefused) -> APIError:
    """Why a call is not placed; what passes by itself says when to try again."""
    headers = {"Retry-After": str(TRY_AGAIN_S)} if error.code in (10004, 20429) else {}
    return APIError(error.code, sentence(error.message), headers=headers)


def call_callbacks(form: Parameters) -> CallCallbacks | None:
    url, method = form.url("StatusCallback"), form.method("StatusCallbackMethod")
    events = form.words("StatusCallbackEvent", CALL_EVENTS, code=21626)
    return CallCallbacks(url, method, events or frozenset({"completed"})) if url else None


def recording_callbacks(
    form: Parameters, allowed: frozenset[str], prefix: str = ""
) -> ConferenceCallbacks | None:
    url = form.url(f"{prefix}RecordingStatusCallback")
    method = form.method(f"{prefix}RecordingStatusCallbackMethod")
    events = form.words(f"{prefix}RecordingStatusCallbackEvent", allowed, code=21626)
    return ConferenceCallbacks(url, method, events or frozenset({"completed"})) if url else None


def _recording(form: Parameters, events: frozenset[str]) -> RecordingPlan | None:
    plan = recording_form(form, "OutboundAPI", recording_callbacks(form, events), trims=True)
    return plan if form.flag("Record") else None


def recording_form(
    form: Parameters, source: RecordingSource, callback: ConferenceCallbacks | None, *, trims: bool
) -> RecordingPlan:
    """How a call is to be recorded; `trims`: whether silence is cut off unless the form says otherwise."""
    channels = form.choice("RecordingChannels", ("mono", "dual"))
    track = form.choice("RecordingTrack", ("inbound", "outbound", "both"))
    trim = form.choice("Trim", ("trim-silence", "do-not-trim"))
    return RecordingPlan(
        source=source,
        channels="dual" if channels == "dual" else "mono",
        track="inbound" if track == "inbound" else "outbound" if track == "outbound" else "both",
        trim_silence=trims if trim is None else trim == "trim-silence",
        callback=callback,
    )


def _address(form: Parameters, name: str, *, missing: int, bad: int) -> str:
    value = form.required(name, code=missing, most=ADDRESS_LENGTH).strip()
    if not _ADDRESS.fullmatch(value):
        raise APIError(bad, f"{name} is no address; send a number, client:name or sip:user@host")
    return value


def _digits(form: Parameters) -> str:
    value = form.raw("SendDigits") or ""
    if not _DIGITS.fullmatch(value):
        raise APIError(21206, "SendDigits is wrong; send at most 32 of 0-9 A-D # * w W")
    return value


def _sip_auth(form: Parameters) -> tuple[str, str] | None:
    user, password = form.text("SipAuthUsername"), form.text("SipAuthPassword")
    return (user, password or "") if user else None
