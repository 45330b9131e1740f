"""Guests: calls of ours that join a conference as soon as they are answered (REST Participants create).

A guest is known by his conference from the moment he is called, and the conference from the moment its first
guest is, so that what the API answered can be asked for at once. Who still rings when his conference ends is
not called any further.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast

from townhall.calls.attendance import participant_settings
from townhall.calls.call import FINAL, Call
from townhall.calls.hall import ConferenceHall
from townhall.conference import Conference, GuestLost, Refusal, Reservation, check_admission
from townhall.conference.events import CallStatus
from townhall.errors import TownhallError
from townhall.twiml.control import ConferenceDial

_NUMBERS = {16023: 16024, 16025: 16026, 13240: 16028}
"""The API has numbers of its own for what TwiML calls otherwise."""


class GuestError(TownhallError):
    """Nobody can be invited so; `code` is Twilio's number."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, eq=False)
class Guest:
    """One who is being called. `dial.name` is the conference's SID."""

    call: Call
    dial: ConferenceDial
    conference: Conference
    invited_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class GuestList:
    """Everybody who is being called for a conference. `give_up` ends a call that nobody needs any more."""

    def __init__(self, hall: ConferenceHall, give_up: Callable[[Call], None]) -> None:
        self._hall = hall
        self._give_up = give_up
        self._guests: dict[str, Guest] = {}
        self._on_close = hall.on_close
        hall.on_close = self._closed

    async def invite(self, dial: ConferenceDial, place: Callable[[ConferenceDial], Awaitable[Call]]) -> Guest:
        """Call somebody for the conference that `dial.name` names, by SID or by friendly name.

        `place` makes the call that joins by the `ConferenceDial` it is given. Raises `GuestError`: 16022 for
        a SID of no live conference, 16026 for a label that is taken, 16020 for a conference that is full.
        """
        reservation = self._hall.conferences.reserve(dial.name, time.monotonic())
        if isinstance(reservation, Refusal):
            code = 16022 if reservation.code == 13236 else 16001
            raise GuestError(code, reservation.message)
        conference = reservation.conference
        try:
            dial = replace(dial, name=conference.sid, invited=True)
            self._check(conference, dial)
            call = await place(dial)
        except BaseException:
            reservation.cancel()
            raise
        return self._wait_for(Guest(call, dial, conference), reservation)

    def _wait_for(self, guest: Guest, reservation: Reservation) -> Guest:
        sid = guest.call.sid

        def over(_: object) -> None:
            self._guests.pop(sid, None)
            if guest.call.answered_at is None:
                self._tell_lost(guest)
            reservation.cancel()

        self._guests[sid] = guest
        # The conference is kept for him until his call is over, joined or not.
        guest.call.over.add_done_callback(over)
        return guest

    def _tell_lost(self, guest: Guest) -> None:
        status = cast(CallStatus, guest.call.status if guest.call.status in FINAL else "failed")
        self._hall.handle(
            guest.conference, GuestLost(guest.call.sid, participant_settings(guest.dial), status)
        )

    def of(self, conference_sid: str) -> list[Guest]:
        """Those who are being called for this conference and are not in it yet, in the order of calling."""
        return [
            guest
            for guest in self._guests.values()
            if guest.conference.sid == conference_sid
            and guest.call.sid not in guest.conference.participants
            and not guest.call.over.done()
        ]

    def find(self, conference_sid: str, who: str) -> Guest | None:
        """The guest of this Call SID or label who is still being called."""
        return next(
            (g for g in self.of(conference_sid) if who in (g.call.sid, g.dial.participant_label)), None
        )

    def first(self, conference_sid: str) -> Guest | None:
        """Who was called first of those for whom a conference is kept, though nobody is in it yet."""
        return next((g for g in self._guests.values() if g.conference.sid == conference_sid), None)

    def _check(self, conference: Conference, dial: ConferenceDial) -> None:
        guests = self.of(conference.sid)
        label = dial.participant_label
        if label and any(guest.dial.participant_label == label for guest in guests):
            raise GuestError(
                16026, f"the label {label!r} is taken in this conference; choose another or none"
            )
        limit = dial.max_participants - len(guests)
        settings = replace(participant_settings(dial), max_participants=limit)
        refusal = check_admission(conference, "", settings)
        if refusal is not None:
            raise GuestError(_NUMBERS.get(refusal.code, refusal.code), refusal.message)

    def _closed(self, conference: Conference) -> None:
        self._on_close(conference)
        for guest in self.of(conference.sid):
            self._give_up(guest.call)
