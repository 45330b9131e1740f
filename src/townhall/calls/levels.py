"""How loud the talkers of a conference are, for those who ask: the REST extension `Levels`.

The media process measures a conference's bus only while it is watched. A question begins the watch, or keeps
it on; ten seconds after the last one it ends. There is one timer for all conferences, and a question costs
what its talkers cost, whatever the number of listeners.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from townhall.calls.hall import ConferenceHall
from townhall.conference import Conference
from townhall.media import Media
from townhall.media.protocol import Levels

WATCHED_FOR_S = 10.0
"""After the last question."""

STALE_S = 1.0
"""Levels older than that are no longer told, and the watch is asked for anew: a media process that has been
started again knows of none.
"""


@dataclass(frozen=True, slots=True)
class TalkerLevel:
    """`dbov`: dB below overload, 0 is loudest and 127 silence (RFC 6464)."""

    call_sid: str
    dbov: int
    speaking: bool


@dataclass(slots=True)
class _Watch:
    asked_at: float
    """When somebody asked last; monotonic seconds, as all times here."""
    ordered_at: float
    told_at: float = 0.0
    latest: Levels | None = None
    calls: dict[int, str] = field(default_factory=dict)
    """Call SID by the number of the leg, of those who were ever loud here."""


class LevelBoard:
    """The levels of the conferences that somebody asks about."""

    def __init__(
        self, hall: ConferenceHall, media: Media, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._hall = hall
        self._media = media
        self._clock = clock
        self._watches: dict[str, _Watch] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._on_close = hall.on_close
        hall.on_close = self._closed
        media.on_levels = self._take

    @property
    def watched(self) -> frozenset[str]:
        """The conferences that are watched, by SID."""
        return frozenset(self._watches)

    def read(self, conference: Conference) -> list[TalkerLevel]:
        """The levels as they were told last; empty until the first are told, and while nobody is heard."""
        if not conference.started or conference.status == "completed":
            return []
        now = self._clock()
        watch = self._watched(conference.sid, now)
        if watch.latest is None or now - watch.told_at > STALE_S:
            return []
        found = zip(watch.latest.legs, watch.latest.dbov, strict=False)
        levels = (self._level(conference, watch, leg, dbov) for leg, dbov in found)
        return [level for level in levels if level is not None]

    def _watched(self, sid: str, now: float) -> _Watch:
        watch = self._watches.get(sid)
        if watch is None:
            watch = self._watches[sid] = _Watch(now, now)
            self._media.watch_levels(sid, True)
            if self._timer is None:
                self._set_timer(WATCHED_FOR_S)
        elif now - max(watch.ordered_at, watch.told_at) > STALE_S:
            watch.ordered_at = now
            self._media.watch_levels(sid, True)
        watch.asked_at = now
        return watch

    def _level(self, conference: Conference, watch: _Watch, leg: int, dbov: int) -> TalkerLevel | None:
        sid = watch.calls.get(leg) or self._find(conference, watch, leg)
        participant = conference.participants.get(sid or "")
        if participant is None or not conference.is_audible(participant.call_sid):
            return None
        return TalkerLevel(participant.call_sid, dbov, participant.speaking)

    def _find(self, conference: Conference, watch: _Watch, leg: int) -> str | None:
        """A leg belongs to one call for ever, so it is looked for once."""
        for sid in conference.participants:
            attendance = self._hall.attendance(sid)
            if attendance is not None and attendance.control.leg.number == leg:
                watch.calls[leg] = sid
                return sid
        return None

    def _take(self, levels: Levels) -> None:
        watch = self._watches.get(levels.bus)
        if watch is not None:
            watch.latest, watch.told_at = levels, self._clock()

    def _set_timer(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._expire)

    def _expire(self) -> None:
        """End the watches that nobody has asked about for long enough."""
        self._timer = None
        now = self._clock()
        for sid, watch in list(self._watches.items()):
            if now - watch.asked_at >= WATCHED_FOR_S:
                self._unwatch(sid)
        if self._watches:
            oldest = min(watch.asked_at for watch in self._watches.values())
            self._set_timer(max(0.0, oldest + WATCHED_FOR_S - now))

    def _unwatch(self, sid: str) -> None:
        del self._watches[sid]
        self._media.watch_levels(sid, False)

    def _closed(self, conference: Conference) -> None:
        self._on_close(conference)
        if conference.sid in self._watches:
            self._unwatch(conference.sid)
