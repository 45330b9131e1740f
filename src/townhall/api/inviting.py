"""Participants create: call somebody and put whoever answers into a conference.

The conference is named by SID (it must be live) or by friendly name (made if there is none). The answer comes
at once, with status `queued`. `TownhallRecordingChannels` is ours: how the conference is recorded. `Byoc`,
`CallToken`, `CallReason`, `Region`, machine detection and `ClientNotificationUrl` are accepted and mean
nothing here.
"""

from starlette.responses import Response

from townhall.api.asking import Ask
from townhall.api.attending import render_guest
from townhall.api.engine import sentence
from townhall.api.errors import APIError
from townhall.api.params import Parameters
from townhall.api.placing import LONGEST_CALL_S, Placing, read_placing, recording_callbacks, refused_call
from townhall.api.render import answer
from townhall.calls import Call
from townhall.calls.guests import GuestError
from townhall.calls.plan import OutboundPlan
from townhall.routing import CallRefused
from townhall.twiml.control import ConferenceCallbacks, ConferenceDial

EVENTS = ("start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement", "lock")
RECORDING_EVENTS = frozenset(
    {"started", "in-progress", "paused", "resumed", "stopped", "completed", "failed", "absent"}
)
LABEL_LENGTH = 128


async def create(ask: Ask) -> Response:
    form = await ask.form()
    placing = read_placing(form, recording_events=RECORDING_EVENTS)
    dial = _dial(form, ask.named("conference"), placing, ask.engine.switchboard.most_participants)

    async def place(dial: ConferenceDial) -> Call:
        return await ask.engine.switchboard.place(
            OutboundPlan(
                to=placing.to,
                from_=placing.from_,
                program=dial,
                caller_id=placing.caller_id,
                timeout_s=placing.timeout_s,
                time_limit_s=placing.time_limit_s,
                send_digits=placing.send_digits,
                sip_auth=placing.sip_auth,
                status_callback=placing.status_callback,
                record=placing.record,
            )
        )

    try:
        guest = await ask.engine.guests.invite(dial, place)
    except CallRefused as error:
        raise refused_call(error) from error
    except GuestError as error:
        raise APIError(error.code, sentence(error.message)) from error
    return answer({**render_guest(guest, ask), "queue_time": "0"}, 201)


def _dial(form: Parameters, name: str, placing: Placing, most_participants: int) -> ConferenceDial:
    beep = form.choice("Beep", ("true", "false", "onEnter", "onExit")) or "true"
    coach = form.sid("CallSidToCoach", "CA")
    coaching = form.flag("Coaching")
    if coaching and not coach:
        raise APIError(20001, "Coaching is true without CallSidToCoach; name the call that is to be coached")
    record = form.choice("ConferenceRecord", ("true", "false", "record-from-start", "do-not-record"))
    trim = form.choice("ConferenceTrim", ("trim-silence", "do-not-trim"))
    channels = form.choice("TownhallRecordingChannels", ("mono", "dual", "per-talker"))
    form.flag("EarlyMedia")
    jitter = form.choice("JitterBufferSize", ("off", "small", "medium", "large"))
    return ConferenceDial(
        name=name,
        muted=form.flag("Muted") or False,
        beep_on_enter=beep in ("true", "onEnter"),
        beep_on_exit=beep in ("true", "onExit"),
        start_conference_on_enter=form.flag("StartConferenceOnEnter") is not False,
        end_conference_on_exit=form.flag("EndConferenceOnExit") or False,
        participant_label=form.text("Label", most=LABEL_LENGTH, code=16024) or None,
        jitter_buffer_size=jitter or "large",  # type: ignore[arg-type]  # `choice` has checked it
        wait_url=form.url("WaitUrl"),
        wait_method=form.method("WaitMethod"),
        coach=coach if coach and coaching is not False else None,
        max_participants=form.number("MaxParticipants", 2, most_participants) or most_participants,
        record=record in ("true", "record-from-start"),
        trim_silence=trim != "do-not-trim",
        recording_channels=channels or "mono",  # type: ignore[arg-type]  # `choice` has checked it
        status_callback=_conference_callbacks(form),
        recording_callback=recording_callbacks(form, RECORDING_EVENTS, "Conference"),
        time_limit_s=placing.time_limit_s or LONGEST_CALL_S,
    )


def _conference_callbacks(form: Parameters) -> ConferenceCallbacks | None:
    url = form.url("ConferenceStatusCallback")
    method = form.method("ConferenceStatusCallbackMethod")
    events = form.words("ConferenceStatusCallbackEvent", EVENTS, code=21626)
    # `start end` is the default here; TwiML's is none.
    return ConferenceCallbacks(url, method, events or frozenset({"start", "end"})) if url else None
