"""Participants: who is in a live conference, told from the conference itself, and changed there at once.

Who is being called for a conference is among them, with the status of his call. A finished conference has
none. In the path a participant is named by Call SID or label (decoded once), a conference by SID; only
`create`, which is in `inviting`, takes a conference's friendly name.
"""

from starlette.responses import Response

from townhall.api import conferences
from townhall.api.asking import Ask, route
from townhall.api.attending import render, render_guest
from townhall.api.engine import refused
from townhall.api.errors import APIError
from townhall.api.inviting import create
from townhall.api.paging import cut, listing, page_request
from townhall.api.params import Parameters
from townhall.api.render import Resource, answer, deleted
from townhall.calls.moderation import ModerationError, Sound
from townhall.conference import ParticipantChanged
from townhall.twiml.control import DocumentRequest

FILTERS = ("Muted", "Hold", "Coaching")


async def list_(ask: Ask) -> Response:
    sid, query, asked = ask.named("conference"), ask.query, page_request(ask.query)
    wanted = {name.lower(): value for name in FILTERS if (value := query.flag(name)) is not None}
    await conferences.find(ask, sid)
    rows = [row for row in _everybody(ask, sid) if all(row[name] == value for name, value in wanted.items())]
    return listing(
        "participants",
        cut(rows, lambda row: str(row["call_sid"]), asked),
        asked,
        uri=ask.uri("Conferences", sid, "Participants"),
        query=query,
        filters=FILTERS,
        render=lambda row: row,
    )


def _everybody(ask: Ask, sid: str) -> list[Resource]:
    """Who came last stands first."""
    guests = [render_guest(guest, ask) for guest in ask.engine.guests.of(sid)]
    conference = ask.engine.switchboard.hall.conferences.get(sid)
    present = list(conference.participants.values()) if conference else []
    return guests[::-1] + [render(one, conference, ask) for one in reversed(present) if conference]


async def fetch(ask: Ask) -> Response:
    sid, who = ask.named("conference"), ask.named("who")
    guest = ask.engine.guests.find(sid, who)
    if guest is not None:
        return answer(render_guest(guest, ask))
    try:
        conference = ask.engine.moderation.conference(sid)
        return answer(render(ask.engine.moderation.participant(sid, who), conference, ask))
    except ModerationError:
        raise ask.not_found() from None


async def update(ask: Ask) -> Response:
    sid, who = ask.named("conference"), ask.named("who")
    form = await ask.form()
    change = _change(form)
    url, method = form.url("AnnounceUrl"), form.method("AnnounceMethod")
    if url == "":
        raise APIError(21205, "AnnounceUrl is empty; send the URL of an audio file or of TwiML")
    wait_url, wait_method = form.url("WaitUrl"), form.method("WaitMethod")
    hold_url, hold_method = form.url("HoldUrl"), form.method("HoldMethod", "GET")
    if ask.engine.guests.find(sid, who) is not None:
        raise APIError(16001, f"{who} is still being called; change him when he has answered")
    moderation = ask.engine.moderation
    try:
        before = moderation.participant(sid, who)
        hold = Sound(hold_url, hold_method) if hold_url is not None else None
        if hold is None and change.hold and not before.hold:
            hold = Sound(None, "GET")
        moderation.update(
            sid,
            who,
            change,
            hold=hold,
            wait=Sound(wait_url, wait_method) if wait_url is not None else None,
        )
        if url:
            moderation.announce(sid, DocumentRequest(url, method), who)
        participant, conference = moderation.participant(sid, who), moderation.conference(sid)
    except ModerationError as error:
        raise refused(error) from error
    return answer(render(participant, conference, ask))


def _change(form: Parameters) -> ParticipantChanged:
    coaching, coach = form.flag("Coaching"), form.sid("CallSidToCoach", "CA")
    if coaching and not coach:
        raise APIError(20001, "Coaching is true without CallSidToCoach; name the call that is to be coached")
    if coaching is False:
        coach = ""
    return ParticipantChanged(
        call_sid="",
        muted=form.flag("Muted"),
        hold=form.flag("Hold"),
        coach=coach,
        end_conference_on_exit=form.flag("EndConferenceOnExit"),
        beep_on_exit=form.flag("BeepOnExit"),
    )


async def delete(ask: Ask) -> Response:
    sid, who = ask.named("conference"), ask.named("who")
    guest = ask.engine.guests.find(sid, who)
    if guest is not None:
        await ask.engine.switchboard.complete(guest.call)
        return deleted()
    try:
        ask.engine.moderation.kick(sid, who)
    except ModerationError as error:
        raise refused(error) from error
    return deleted()


ROUTES = [
    route("/Accounts/{account}/Conferences/{conference}/Participants", get=list_, post=create),
    route(
        "/Accounts/{account}/Conferences/{conference}/Participants/{who}",
        get=fetch,
        post=update,
        delete=delete,
    ),
]
