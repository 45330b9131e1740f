"""What TwiML's verbs do to a real call: `townhall.twiml.control.CallControl` over media, signalling and
webhooks.
"""

import asyncio
import logging
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TypeVar

from townhall.calls.call import Call
from townhall.calls.clips import ClipLibrary
from townhall.calls.negotiation import LegRefusedError
from townhall.media import Leg, Playback
from townhall.signalling import OfferRejected, SessionEnded
from townhall.twiml.control import (
    CallEnded,
    ConferenceDial,
    ConferenceOutcome,
    DocumentRequest,
    Notice,
    Page,
    Utterance,
)
from townhall.webhooks import WebhookClient

log = logging.getLogger(__name__)

T = TypeVar("T")


class Hall(Protocol):
    """Where conferences are held (`townhall.calls.hall`)."""

    async def attend(self, call: Call, control: "LiveCall", dial: ConferenceDial) -> ConferenceOutcome: ...


class Journal(Protocol):
    """Where a call's course is written down (`townhall.calls.journal`)."""

    async def answering(self, call: Call) -> None: ...

    def notice(self, call: Call, notice: Notice) -> None: ...


class LiveCall:
    """`CallControl` for one live call."""

    def __init__(
        self, call: Call, *, clips: ClipLibrary, webhooks: WebhookClient, hall: Hall, journal: Journal
    ) -> None:
        self.call = call
        self._clips = clips
        self._webhooks = webhooks
        self._hall = hall
        self._journal = journal
        self._playback: Playback | None = None

    # ---- the call itself ----

    @property
    def answered(self) -> bool:
        return self.call.answered_at is not None

    async def ring(self) -> None:
        if not self.answered:
            await self._while_it_lasts(self.call.invite.ring())

    async def answer(self) -> None:
        if not self.answered:
            await self._while_it_lasts(self._answer())

    async def reject(self, reason: Literal["rejected", "busy"]) -> None:
        if self.answered:
            return await self.hang_up()
        # `rejected` is 404 rather than 603, as Twilio answers it.
        status = 486 if reason == "busy" else 404
        self.call.status = "busy" if reason == "busy" else "failed"
        self.call.invite.reject(status)
        self.call.end(f"refused by <Reject reason={reason!r}>")

    async def hang_up(self) -> None:
        if not self.call.over.done():
            if self.answered:
                await self.call.invite.session.hang_up()
            else:
                self.call.status = "failed"
                self.call.invite.reject(480)
        self.call.end("hung up by its document")

    # ---- documents ----

    async def fetch(self, request: DocumentRequest) -> Page:
        # The end of the call does not stop a request: the last `action` is asked for, though nobody hears
        # the answer. Only another document that comes before it does.
        parameters = [*self.call.parameters, *request.parameters]
        work = self._webhooks.fetch(request.url, request.method, parameters, self.call.cookies)
        return await self._unless_redirected(work)

    def report(self, notice: Notice) -> None:
        self._journal.notice(self.call, notice)

    # ---- what the caller hears ----

    async def say(self, utterance: Utterance) -> None:
        await self._while_it_lasts(self._play_clip(self._clips.words(utterance)))

    async def play(self, url: str, loops: int = 1) -> None:
        await self._while_it_lasts(self._play_clip(self._clips.download(url, self.call.cookies), loops))

    async def play_page(self, page: Page, loops: int = 1) -> None:
        await self._while_it_lasts(self._play_clip(self._clips.decode(page), loops))

    async def play_forever(self, clip: str) -> None:
        """Loop a clip until cancelled: hold music."""
        await self._play_to_the_end([clip], loops=0)

    def silence(self) -> None:
        """Stop whatever the caller is being played, at once; who waits for its end is told so."""
        if self._playback is not None:
            self._playback.stop()

    async def play_digits(self, digits: str) -> None:
        await self._while_it_lasts(self.leg.send_digits(digits).finished())

    async def pause(self, seconds: float) -> None:
        await self._while_it_lasts(asyncio.sleep(seconds))

    @property
    def leg(self) -> Leg:
        """The call's media; the verbs that need it answer the call first."""
        if self.call.audio.leg is None:
            raise CallEnded
        return self.call.audio.leg

    # ---- what the caller does ----

    def discard_digits(self) -> None:
        self.call.discard_digits()

    async def read_digit(self, timeout_s: float | None) -> str | None:
        try:
            return await self._while_it_lasts(self.call.digits.get(), timeout_s)
        except TimeoutError:
            return None

    async def join_conference(self, dial: ConferenceDial) -> ConferenceOutcome:
        return await self._hall.attend(self.call, self, dial)

    # ---- inside ----

    async def _answer(self) -> None:
        call, invite = self.call, self.call.invite
        # Written down before the caller can know: a crash loses no call that was answered.
        call.status = "in-progress"
        await self._journal.answering(call)
        try:
            if invite.offer is not None:
                await invite.answer(await call.audio.answer(invite.offer))
            else:
                answer = await invite.answer(await call.audio.offer())
                if answer is None:
                    raise OfferRejected(status=488)
                call.audio.accept(answer)
            call.answered_at = datetime.now(UTC)
        except LegRefusedError as error:
            call.status = "failed"
            invite.reject(503, headers=[("Retry-After", "10")])
            call.end(f"no media: {error}")
            raise CallEnded from error
        except OfferRejected as error:
            call.status = "failed"
            call.end("no audio that both sides know")
            await invite.session.hang_up('SIP;cause=488;text="No audio codec in common"')
            raise CallEnded from error
        except SessionEnded as error:
            call.end(f"{error.cause} while answering")
            raise CallEnded from error

    async def _play_clip(self, clip: Coroutine[Any, Any, str], loops: int = 1) -> None:
        await self._play_to_the_end([await clip], loops)

    async def _play_to_the_end(self, clips: list[str], loops: int) -> None:
        playback = self._playback = self.leg.play(clips, loops)
        try:
            outcome = await playback.finished()
        finally:
            playback.stop()
        if outcome == "failed":
            log.warning("%s: %s could not be played: %s", self.call.sid, clips, playback.detail)

    async def _while_it_lasts(self, work: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        """Do a thing unless and until the call is over; then stop it and raise `CallEnded`.

        Raises `CallRedirected` when the API interrupts, `TimeoutError` when it takes too long. What was done
        in the last moment counts: a key that comes together with the time-out is not lost.
        """
        if self.call.over.done():
            work.close()
            raise CallEnded
        return await self._race(work, {self.call.over}, timeout_s)

    async def _unless_redirected(self, work: Coroutine[Any, Any, T]) -> T:
        return await self._race(work, set(), None)

    async def _race(
        self, work: Coroutine[Any, Any, T], enders: set[asyncio.Future[Any]], timeout_s: float | None
    ) -> T:
        interruption = self.call.interruption
        task = asyncio.ensure_future(work)
        racers = {task, interruption, *enders}
        try:
            await asyncio.wait(racers, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            if any(ender.done() for ender in enders):
                raise CallEnded
            if interruption.done():
                raise self.obey(interruption)
            raise TimeoutError
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    def obey(self, interruption: asyncio.Future[CallRedirected]) -> CallRedirected:
        """The new document, to be raised; what runs from now on is not interrupted by it any more."""
        if self.call.interruption is interruption:
            self.call.interruption = asyncio.get_running_loop().create_future()
        return interruption.result()
