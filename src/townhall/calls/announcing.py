"""Announcements: words or files into a running conference, for all or for one (`AnnounceUrl`)."""

import asyncio
from collections.abc import Callable

from townhall.calls.attendance import Attendance
from townhall.calls.clips import ClipLibrary
from townhall.calls.sounds import NoticeBoard, Sounds
from townhall.conference import AnnouncementEnded, Conference
from townhall.media import Media, Playback
from townhall.twiml import run_wait_document
from townhall.twiml.control import (
    CallEnded,
    CallRedirected,
    DocumentRequest,
    FetchFailed,
    Notice,
    Speaker,
)
from townhall.webhooks import Cookies, WebhookClient

Tell = Callable[[AnnouncementEnded], None]


class Audience:
    """A conference as the subject of sounds; `close` ends whatever is announced to it."""

    def __init__(self, conference: Conference, account_sid: str) -> None:
        self.sid = conference.sid
        self.cookies = Cookies()
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.interruption: asyncio.Future[CallRedirected] = asyncio.get_running_loop().create_future()
        self.parameters = [
            ("AccountSid", account_sid),
            ("ConferenceSid", conference.sid),
            ("FriendlyName", conference.name),
            ("ApiVersion", "2010-04-01"),
        ]

    def close(self) -> None:
        if not self.over.done():
            self.over.set_result("the conference is over")


class ConferenceVoice(Sounds):
    """Sounds that are mixed over a conference's talk, for everybody who hears it."""

    def __init__(
        self,
        audience: Audience,
        media: Media,
        clips: ClipLibrary,
        webhooks: WebhookClient,
        notices: NoticeBoard,
    ) -> None:
        super().__init__(audience, clips, webhooks, notices)
        self._bus = audience.sid
        self._media = media

    @property
    def answered(self) -> bool:
        return True

    async def answer(self) -> None:
        """Whoever is in a conference has been answered; verbs ask for it all the same."""

    def start_playing(self, clips: list[str], loops: int) -> Playback:
        # `<Play loop="0">` into a conference would never end: it runs as often as it says, at least once.
        return self._media.play_to_bus(self._bus, clips * max(1, loops))


async def announce_to_all(voice: ConferenceVoice, request: DocumentRequest, tell: Tell) -> None:
    """Run the announcement's document over the talk, and tell how it ended."""
    await _announce(voice, request, tell, None)


async def announce_to_one(
    attendance: Attendance, conference: Conference, request: DocumentRequest, tell: Tell
) -> None:
    """Run the announcement's document for one participant, in place of what he hears.

    Music that it displaces goes on afterwards.
    """
    displaced = next((music for music in (attendance.hold, attendance.wait) if music.playing), None)
    if displaced is not None:
        displaced.stop()
        await displaced.ended()
    await _announce(attendance.control, request, tell, attendance.call.sid)
    if displaced is not None and not attendance.released.done():
        displaced.start(conference)


async def _announce(sounds: Speaker, request: DocumentRequest, tell: Tell, call_sid: str | None) -> None:
    try:
        await run_wait_document(sounds, request, loop_audio=False)
    except FetchFailed as error:
        sounds.report(Notice(error.code, "error", error.message, error.url))
        tell(AnnouncementEnded(request.url, call_sid, failure=error.message))
    except (CallEnded, CallRedirected):
        return
    else:
        tell(AnnouncementEnded(request.url, call_sid))
