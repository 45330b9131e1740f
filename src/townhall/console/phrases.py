"""The sentences of the event feed, for people."""

from townhall.console.facts import Role

LONGEST_NAMES = 3

_LEFT = {
    "participant_hung_up": "hung up",
    "participant_updated_via_api": "was taken out",
    "moderator_ended_conference": "left; the moderator ended the conference",
    "conference_ended_via_api": "left; the conference was ended",
    "participant_add_failed": "did not answer",
}
_ENDED = {
    "conference-ended-via-api": "The conference was ended",
    "last-participant-left": "The conference ended when the last participant left",
    "last-participant-kicked": "The conference ended when the last participant was taken out",
    "participant-with-end-conference-on-exit-left": "The conference ended when {who} left",
    "participant-with-end-conference-on-exit-kicked": "The conference ended when {who} was taken out",
}
_DONE = {
    "mute": "muted {whom}",
    "unmute": "unmuted {whom}",
    "hold": "put {whom} on hold",
    "unhold": "took {whom} off hold",
    "kick": "took {whom} out",
    "mute-all": "muted everybody but moderators",
    "release-all": "let everybody speak again",
    "lock": "locked the conference",
    "unlock": "unlocked the conference",
    "announce": "announced to {whom}: {detail}",
    "dial": "is calling {whom}",
    "coach": "has {whom} heard by {detail} only",
    "stop-coaching": "has {whom} heard by all again",
    "record": "started recording",
    "stop-recording": "stopped recording",
    "end": "ended the conference",
}


def phrase_of_join(who: str, role: Role, state: str) -> str:
    waiting = " and waits" if state == "waiting" else ""
    return f"{_capital(who)} joined as {role}{waiting}"


def phrase_of_leave(who: str, reason: str, was_present: bool) -> str:
    if not was_present:
        return f"{_capital(who)} did not come"
    return f"{_capital(who)} {_LEFT.get(reason, 'left')}"


def phrase_of_hold(who: str, why: str) -> str:
    """Why somebody was muted or unmuted whom nobody muted or unmuted; empty: not known."""
    phrase = {
        "hold-music": "{who} was muted: music comes from the telephone",
        "hold-tone": "{who} was muted: a constant tone comes from the telephone",
        "resumed": "{who} is back and was unmuted",
    }.get(why, "")
    return phrase.format(who=_capital(who))


def phrase_of_end(reason: str, who: str) -> str:
    return _ENDED.get(reason, "The conference ended").format(who=who or "the moderator")


def phrase_of_recording(before: str | None, now: str) -> str:
    if before is None and now == "in-progress":
        return "Recording has started"
    if now == "paused":
        return "Recording is paused"
    if before == "paused" and now == "in-progress":
        return "Recording goes on"
    if now in ("stopped", "processing") and before in ("in-progress", "paused"):
        return "Recording has stopped"
    return {
        "completed": "A recording can be heard",
        "absent": "A recording holds nothing, so it was not kept",
        "failed": "A recording failed",
    }.get(now, "")


def phrase_of_action(by: str, action: str, whom: str = "", detail: str = "") -> str:
    return f"{by} {_DONE[action].format(whom=whom, detail=detail)}"


def names_of(names: list[str]) -> str:
    """`Anna, Ben and 4 others`."""
    if len(names) <= LONGEST_NAMES:
        return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "nobody"
    return f"{', '.join(names[:2])} and {len(names) - 2} others"


def _capital(who: str) -> str:
    return who[:1].upper() + who[1:]
