"""What is written down of calls and conferences: the joiner's words in, the store's records out.

Only the answer of a call is waited for (a crash loses no call that was answered); all else is queued to the
store's writer.
"""

import logging
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime

from townhall.calls.call import Call
from townhall.calls.requests import RequestLog
from townhall.conference import Close, Conference, Notify
from townhall.store import CallRecord, ConferenceRecord, ParticipantRecord, Store
from townhall.twiml.control import Notice

log = logging.getLogger(__name__)


class StoreJournal:
    def __init__(self, store: Store) -> None:
        self._store = store
        self.requests = RequestLog(store)
        """Plugged into the webhook client, so that notices carry what was requested."""

    def started(self, call: Call) -> None:
        self._store.calls.started(
            CallRecord(
                sid=call.sid,
                account_sid=call.account_sid,
                from_=call.from_,
                to=call.to,
                direction=call.direction,
                status=call.status,
                started_at=call.started_at,
                sip_call_id=call.call_id,
                parent_call_sid=call.parent_call_sid,
            )
        )

    def answering(self, call: Call) -> Awaitable[None]:
        """Begins at once; to be awaited before the caller can know."""
        return self._store.calls.answered(call.sid, datetime.now(UTC))

    def ended(self, call: Call, media: Mapping[str, object] | None) -> None:
        """`media`: the codec and the leg's last figures."""
        self._store.calls.ended(
            call.sid,
            datetime.now(UTC),
            status=call.status,
            duration_s=call.duration_s,
            cause=call.over.result(),
            media=media,
            sip_response_code=call.sip_status,
        )

    def notice(self, resource_sid: str, notice: Notice) -> None:
        """A line of the error log about a call or a conference."""
        level = logging.ERROR if notice.level == "error" else logging.WARNING
        log.log(level, "%s: %d %s %s", resource_sid, notice.code, notice.message, notice.url)
        self._store.notices.add(
            resource_sid=resource_sid,
            code=notice.code,
            level=notice.level,
            message=notice.message,
            url=notice.url,
            **self.requests.about(resource_sid, notice),
        )

    def created(self, conference: Conference) -> None:
        self._store.conferences.created(
            ConferenceRecord(sid=conference.sid, friendly_name=conference.name, created_at=datetime.now(UTC))
        )

    def happened(self, conference: Conference, notify: Notify) -> None:
        """Keep who was in the conference from when to when; the rest of the events is the callbacks'
        matter.
        """
        now, what = datetime.now(UTC), dict(notify.parameters)
        match notify.event:
            case "conference-start":
                self._store.conferences.started(conference.sid, now)
            case "participant-join":
                self._store.conferences.participant_joined(
                    ParticipantRecord(
                        conference_sid=conference.sid,
                        call_sid=what["CallSid"],
                        joined_at=now,
                        label=what.get("ParticipantLabel"),
                        muted=what["Muted"] == "true",
                        start_conference_on_enter=what["StartConferenceOnEnter"] == "true",
                        end_conference_on_exit=what["EndConferenceOnExit"] == "true",
                        coaching=what["Coaching"] == "true",
                    )
                )
            case "participant-leave":
                self._store.conferences.participant_left(
                    conference.sid, what["CallSid"], now, what["ReasonParticipantLeft"]
                )

    def closed(self, conference: Conference, close: Close) -> None:
        self._store.conferences.completed(
            conference.sid, datetime.now(UTC), reason=close.reason, call_sid_ending=close.call_sid_ending
        )
