"""What moderators do: each action is checked, done through the REST API, and told to all moderators.

What the API answers goes into the model at once; the callback that follows finds nothing new. Actions on many
people run some at a time, and what failed for one does not keep it from the others.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from townhall.console.announcing import Announcements
from townhall.console.desk import LONGEST_NAME, LONGEST_NUMBER, Desk, clean, who_calls
from townhall.console.door import text_in
from townhall.console.facts import (
    Changed,
    Ended,
    Fact,
    Left,
    Locked,
    MutedByRule,
    Named,
    Recorded,
    Role,
    Rung,
    TookRole,
)
from townhall.console.person import Person
from townhall.console.recording import Recorder
from townhall.console.refusals import Refusal, bad
from townhall.console.remote import Remote
from townhall.console.room import Room
from townhall.console.sessions import Session
from townhall.console.several import Failures, some_at_a_time

MOST_CALLS = 500
LONGEST_TEXT = 1_000
LONGEST_URL = 2_000
GUEST_ROLES: dict[str, dict[str, bool]] = {
    "listener": {"muted": True, "start_conference_on_enter": False, "end_conference_on_exit": False},
    "speaker": {"muted": False, "start_conference_on_enter": False, "end_conference_on_exit": False},
    # A guest who moderates does not take the conference with him when his line drops.
    "moderator": {"muted": False, "start_conference_on_enter": True, "end_conference_on_exit": False},
}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_ADDRESS = re.compile(r"[^\s<>\"]{1,128}")

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """One request to act."""

    room: Room
    session: Session
    body: Body


class Acting:
    def __init__(
        self,
        desk: Desk,
        remote: Remote,
        announcements: Announcements,
        recorder: Recorder,
        caller_id: str | None,
    ) -> None:
        self._desk = desk
        self._remote = remote
        self._announcements = announcements
        self._recorder = recorder
        self._caller_id = caller_id
        self._actions: dict[str, Callable[[Order], Awaitable[Failures]]] = {
            "mute": lambda order: self._change(order, "mute", muted=True),
            "unmute": lambda order: self._change(order, "unmute", muted=False),
            "hold": lambda order: self._change(order, "hold", hold=True),
            "unhold": lambda order: self._change(order, "unhold", hold=False),
            "kick": self._kick,
            "mute-all": self._mute_all,
            "release-all": self._release_all,
            "lock": lambda order: self._lock(order, True),
            "unlock": lambda order: self._lock(order, False),
            "announce": self._announce,
            "dial": self._dial,
            "coach": self._coach,
            "record": self._record,
            "stop-recording": self._stop_recording,
            "end": self._end,
        }

    async def do(self, action: str, order: Order) -> Failures:
        """Do it; returns for whom it failed. Raises `Refusal`."""
        if order.room.state == "ended":
            raise Refusal("over", "The conference has ended.")
        work = self._actions.get(action)
        if work is None:
            raise Refusal("not-found", f"There is no action {action[:32]}.")
        return await work(order)

    async def mute_newcomer(self, room: Room, call_sid: str) -> None:
        """Apply the rule "mute all" to somebody who has just come."""
        await self._mute_by_rule(room, call_sid)

    # ---- people ----

    async def _change(self, order: Order, action: str, **changes: bool) -> Failures:
        async def change(call_sid: str) -> None:
            self._present(order.room, call_sid)
            flags = await self._remote.change(order.room.sid, call_sid, **changes)
            self._learn(order.room, Changed(self._desk.now_ms(), call_sid, flags))

        return await self._each(order, action, change)

    async def _kick(self, order: Order) -> Failures:
        async def kick(call_sid: str) -> None:
            self._listed(order.room, call_sid)
            await self._remote.kick(order.room.sid, call_sid)
            self._learn(order.room, Left(self._desk.now_ms(), call_sid, "participant_updated_via_api"))

        return await self._each(order, "kick", kick)

    async def _coach(self, order: Order) -> Failures:
        room, call_sid = order.room, _call_sid(order.body, "call_sid")
        coach = self._present(room, call_sid)
        if order.body.get("target") is None:
            flags = await self._remote.change(room.sid, coach.call_sid, coaching=False)
            self._learn(room, Changed(self._desk.now_ms(), call_sid, flags))
            self._desk.act(room, order.session, "stop-coaching", [call_sid])
            return []
        target = self._present(room, _call_sid(order.body, "target"))
        flags = await self._remote.change(
            room.sid, call_sid, coaching=True, call_sid_to_coach=target.call_sid
        )
        self._learn(room, Changed(self._desk.now_ms(), call_sid, flags))
        self._desk.act(room, order.session, "coach", [call_sid], target.shown)
        return []

    async def _dial(self, order: Order) -> Failures:
        room, body = order.room, order.body
        to = text_in(body, "to", LONGEST_NUMBER)
        label = clean(text_in(body, "label", LONGEST_NAME, required=False), LONGEST_NAME)
        role = body.get("role") or "speaker"
        if not _ADDRESS.fullmatch(to):
            raise bad("to must be a number, sip:… or client:….")
        if not isinstance(role, str) or role not in GUEST_ROLES:
            raise bad("role must be listener, speaker or moderator.")
        from_ = text_in(body, "from", LONGEST_NUMBER, required=False) or self._caller_id
        if body.get("from") and order.session.role != "operator":
            raise Refusal("forbidden", "Only the operator chooses the number that a guest is shown.")
        call_sid = await self._remote.dial(
            room.sid,
            to=to,
            from_=from_ or next(iter(room.lines), "1000"),
            **({"label": label.replace("/", "-")} if label else {}),
            **GUEST_ROLES[role],
        )
        self._take_guest(room, call_sid, to, label, role)  # type: ignore[arg-type]  # checked above
        self._desk.act(room, order.session, "dial", [call_sid])
        return []

    def _take_guest(self, room: Room, call_sid: str, to: str, label: str, role: Role) -> None:
        now_ms = self._desk.now_ms()
        named = who_calls(now_ms, call_sid, to, label)
        self._learn(room, Named(now_ms, call_sid, named.name, named.number, "guest"))
        self._learn(room, TookRole(now_ms, call_sid, role))
        self._learn(room, Rung(now_ms, call_sid))

    # ---- everybody ----

    async def _mute_all(self, order: Order) -> Failures:
        """The rule first: who comes in meanwhile is muted as a newcomer."""
        room = order.room
        self._desk.rule(room, True)
        self._desk.act(room, order.session, "mute-all")
        chosen = [p.call_sid for p in room.roster() if p.present and p.role != "moderator" and not p.muted]
        return await some_at_a_time(chosen, lambda call_sid: self._mute_by_rule(room, call_sid))

    async def _mute_by_rule(self, room: Room, call_sid: str) -> None:
        await self._remote.change(room.sid, call_sid, muted=True)
        self._learn(room, MutedByRule(self._desk.now_ms(), call_sid))
        if not room.muted_all:  # released while it was being done
            await self._free(room, call_sid)

    async def _release_all(self, order: Order) -> Failures:
        room = order.room
        self._desk.rule(room, False)
        self._desk.act(room, order.session, "release-all")
        chosen = self._desk.release(room)
        return await some_at_a_time(chosen, lambda call_sid: self._free(room, call_sid))

    async def _free(self, room: Room, call_sid: str) -> None:
        flags = await self._remote.change(room.sid, call_sid, muted=False)
        self._learn(room, Changed(self._desk.now_ms(), call_sid, flags))

    async def _lock(self, order: Order, on: bool) -> Failures:
        if not self._desk.capabilities["lock"]:
            raise Refusal("not-supported", "This engine cannot lock a conference.")
        locked = await self._remote.lock(order.room.sid, on)
        self._learn(order.room, Locked(self._desk.now_ms(), locked))
        self._desk.act(order.room, order.session, "lock" if on else "unlock")
        return []

    async def _announce(self, order: Order) -> Failures:
        room, body = order.room, order.body
        call_sid = _call_sid(body, "call_sid") if body.get("call_sid") is not None else None
        if call_sid is not None:
            self._present(room, call_sid)
        if body.get("url") is not None:
            url = detail = text_in(body, "url", LONGEST_URL)
            if not url.lower().startswith(("http://", "https://")):
                raise bad("url must begin with https:// or http://.")
            if self._announcements.is_ours(url):
                raise bad("url must lead to another server: what this one says is said with text.")
        else:
            url, detail = self._in_words(room, body)
        await self._remote.announce(room.sid, url, call_sid)
        self._desk.act(room, order.session, "announce", [call_sid] if call_sid else [], clean(detail, 120))
        return []

    def _in_words(self, room: Room, body: Body) -> tuple[str, str]:
        text = text_in(body, "text", LONGEST_TEXT)
        line = next((line for line in self._desk.lines if line.number in room.lines), None)
        language = text_in(body, "language", 20, required=False)
        if language and not _LANGUAGE.fullmatch(language):
            raise bad("language must be a tag such as en-US.")
        voice = line.voice if line and not language else None
        return self._announcements.url_of(text, language or (line.language if line else "en-US"), voice), text

    async def _record(self, order: Order) -> Failures:
        if order.room.state != "live":
            raise Refusal("refused", "The conference has not started; record it when it has.")
        if order.room.recording is not None:
            raise Refusal("refused", "The conference is being recorded already.")
        started = await self._recorder.start(order.room)
        self._desk.act(order.room, order.session, "record")
        self._learn(order.room, started)
        return []

    async def _stop_recording(self, order: Order) -> Failures:
        recording = order.room.recording
        if recording is None:
            raise Refusal("refused", "The conference is not being recorded.")
        await self._recorder.stop(order.room, recording)
        self._desk.act(order.room, order.session, "stop-recording")
        stopped = Recorded(self._desk.now_ms(), recording.sid, "processing", recording.since_ms)
        self._learn(order.room, stopped)
        return []

    async def _end(self, order: Order) -> Failures:
        await self._remote.end(order.room.sid)
        self._desk.act(order.room, order.session, "end")
        self._learn(order.room, Ended(self._desk.now_ms(), "conference-ended-via-api"))
        return []

    # ---- in common ----

    async def _each(self, order: Order, action: str, work: Callable[[str], Awaitable[None]]) -> Failures:
        call_sids = _call_sids(order.body)
        failed = await some_at_a_time(call_sids, work)
        missed = {failure["call_sid"] for failure in failed}
        done = [call_sid for call_sid in call_sids if call_sid not in missed]
        if done:
            self._desk.act(order.room, order.session, action, done)
        return failed

    def _learn(self, room: Room, fact: Fact) -> None:
        self._desk.learn(room.sid, fact)

    def _listed(self, room: Room, call_sid: str) -> Person:
        person = room.people.get(call_sid)
        if person is None or not person.listed:
            raise Refusal("not-found", "He is not in the conference any more.")
        return person

    def _present(self, room: Room, call_sid: str) -> Person:
        person = self._listed(room, call_sid)
        if not person.present:
            raise Refusal("refused", "He has not answered yet.")
        return person


def _call_sid(body: Body, name: str) -> str:
    return text_in(body, name, 34)


def _call_sids(body: Body) -> list[str]:
    given = body.get("call_sids")
    if (
        not isinstance(given, list)
        or not 0 < len(given) <= MOST_CALLS
        or not all(isinstance(one, str) and len(one) <= 34 for one in given)
    ):
        raise bad(f"call_sids must be a list of 1 to {MOST_CALLS} Call SIDs.")
    return list(dict.fromkeys(given))
