"""Where a dialled number leads: to its webhook, to its application's, or to a line of our own application."""

from townhall.app import Line
from townhall.calls import Route
from townhall.store import Application, Number, Store
from townhall.store import Line as StoredLine
from townhall.twiml.control import Method
from townhall.webhooks import OriginConsent


class NumberPlan:
    """`menu_url`: the voice URL of every line of our own application."""

    def __init__(self, store: Store, consent: OriginConsent, menu_url: str) -> None:
        self._store = store
        self._consent = consent
        self._menu_url = menu_url

    async def route_of(self, user: str) -> Route | None:
        """A number's voice URL, else our own application for a line."""
        number = await self._store.numbers.get(user)
        if number is not None:
            return self._route_to(await self._webhooks_of(number))
        line = await self._store.lines.get(user)
        if line is None:
            return None
        return Route(voice_url=self._menu_url, tells_when_full=line.when_full == "spoken")

    async def route_of_application(self, sid: str) -> Route | None:
        """The voice URL of an application that a browser's token names."""
        application = await self._store.applications.get(sid)
        return self._route_to(application) if application is not None else None

    async def _webhooks_of(self, number: Number) -> Number | Application:
        """An application's URLs count instead of the number's own."""
        sid = number.voice_application_sid
        return (sid and await self._store.applications.get(sid)) or number

    def _route_to(self, webhooks: Number | Application) -> Route | None:
        """None for a number without a voice URL: it takes no calls."""
        # The operator configured these origins: that is his consent to reach them, be they
        # inner addresses.
        for url in (webhooks.voice_url, webhooks.voice_fallback_url, webhooks.status_callback):
            if url:
                self._consent.allow(url)
        if not webhooks.voice_url:
            return None
        return Route(
            voice_url=webhooks.voice_url,
            voice_method=_method(webhooks.voice_method),
            fallback_url=webhooks.voice_fallback_url,
            fallback_method=_method(webhooks.voice_fallback_method),
            status_callback=webhooks.status_callback,
            status_callback_method=_method(webhooks.status_callback_method),
        )


class StoredLines:
    """The stored lines as the application sees them: the one place where both sides of the seam are known."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, number: str) -> Line | None:
        stored = await self._store.lines.get(number)
        return _line_of(stored) if stored is not None else None

    async def list(self) -> list[Line]:
        return [_line_of(stored) for stored in await self._store.lines.list()]


def _line_of(stored: StoredLine) -> Line:
    return Line(
        number=stored.number,
        conference_name=stored.conference_name,
        welcome=stored.welcome,
        speaker_pin=stored.speaker_pin,
        moderator_pin=stored.moderator_pin,
        voice=stored.voice,
        language=stored.language,
        music=stored.music,
        max_participants=stored.max_participants,
        when_full="spoken" if stored.when_full == "spoken" else "busy",
    )


def _method(stored: str) -> Method:
    return "GET" if stored == "GET" else "POST"
