"""What TwiML's verbs do to a real call: `townhall.twiml.control.CallControl` over media, signalling and
webhooks.
"""

from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Literal, Protocol

from townhall.calls.call import Call
from townhall.calls.clips import ClipLibrary
from townhall.calls.message import record_message
from townhall.calls.negotiation import LegRefusedError
from townhall.calls.recording import RecordingDesk
from townhall.calls.sounds import NoticeBoard, Sounds
from townhall.media import Leg, Playback
from townhall.signalling import OfferRejected, SessionEnded
from townhall.signalling.protocols import CallInvite
from townhall.twiml.control import (
    CallEnded,
    ConferenceDial,
    ConferenceOutcome,
    DialOutcome,
    EnqueueOutcome,
    EnqueuePlan,
    QueueTarget,
    RecordingPlan,
    RecordOutcome,
    RecordPlan,
)
from townhall.twiml.dial_plan import DialPlan
from townhall.webhooks import WebhookClient


class Hall(Protocol):
    """Where conferences are held (`townhall.calls.hall`)."""

    async def attend(self, control: "LiveCall", dial: ConferenceDial) -> ConferenceOutcome: ...


class Journal(NoticeBoard, Protocol):
    """Where a call's course is written down (`townhall.calls.journal`)."""

    def answering(self, call: Call) -> Awaitable[None]: ...


class Queueing(Protocol):
    """Where callers are queued (`townhall.calls.queueing`)."""

    async def enqueue(self, control: "LiveCall", plan: EnqueuePlan) -> EnqueueOutcome: ...

    async def take(
        self,
        control: "LiveCall",
        target: QueueTarget,
        *,
        timeout_s: float,
        hangup_on_star: bool,
        time_limit_s: float,
    ) -> DialOutcome: ...


class Dialling(Protocol):
    """Where others are rung for a caller (`townhall.calls.dialing`)."""

    async def dial(self, control: "LiveCall", plan: DialPlan) -> DialOutcome: ...


class LiveCall(Sounds):
    """`CallControl` for one live call."""

    def __init__(
        self,
        call: Call,
        *,
        clips: ClipLibrary,
        webhooks: WebhookClient,
        hall: Hall,
        queues: Queueing,
        dialling: Dialling,
        journal: Journal,
        recordings: RecordingDesk,
    ) -> None:
        super().__init__(call, clips, webhooks, journal)
        self.call = call
        self._hall = hall
        self._queues = queues
        self._dialling = dialling
        self._journal = journal
        self._recordings = recordings

    # ---- the call itself ----

    @property
    def answered(self) -> bool:
        return self.call.answered_at is not None

    async def ring(self) -> None:
        if not self.answered and self.call.invite is not None:
            if self.call.over.done():
                raise CallEnded
            await self.call.invite.ring()  # at once: it needs no task of its own

    async def answer(self) -> None:
        if not self.answered and self.call.invite is not None:
            # Half an answer can't be taken back: another document waits until the ACK is here.
            await self.while_it_lasts(self._answer(self.call.invite), interruptible=False)

    async def reject(self, reason: Literal["rejected", "busy"]) -> None:
        invite = self.call.invite
        if self.answered or invite is None:
            return await self.hang_up()
        # `rejected` is 404 rather than 603, as Twilio answers it.
        status = 486 if reason == "busy" else 404
        self.call.status = "busy" if reason == "busy" else "failed"
        invite.reject(status)
        self.call.end(f"refused by <Reject reason={reason!r}>")

    async def hang_up(self) -> None:
        if not self.call.over.done():
            if not self.answered:
                self.call.status = "failed"
            await self.call.hang_up()
        self.call.end("hung up by its document")

    # ---- what the caller hears and does ----

    @property
    def leg(self) -> Leg:
        """The call's media; the verbs that need it answer the call first."""
        if self.call.audio.leg is None:
            raise CallEnded
        return self.call.audio.leg

    def start_playing(self, clips: list[str], loops: int) -> Playback:
        return self.leg.play(clips, loops)

    async def play_digits(self, digits: str) -> None:
        await self.while_it_lasts(self.leg.send_digits(digits).finished())

    def discard_digits(self) -> None:
        self.call.discard_digits()

    async def read_digit(self, timeout_s: float | None) -> str | None:
        try:
            return await self.while_it_lasts(self.call.digits.get(), timeout_s)
        except TimeoutError:
            return None

    async def join_conference(self, dial: ConferenceDial) -> ConferenceOutcome:
        return await self._hall.attend(self, dial)

    async def dial(self, plan: DialPlan) -> DialOutcome:
        return await self._dialling.dial(self, plan)

    async def enqueue(self, plan: EnqueuePlan) -> EnqueueOutcome:
        return await self._queues.enqueue(self, plan)

    async def dial_queue(
        self, target: QueueTarget, *, timeout_s: float, hangup_on_star: bool, time_limit_s: float
    ) -> DialOutcome:
        return await self._queues.take(
            self, target, timeout_s=timeout_s, hangup_on_star=hangup_on_star, time_limit_s=time_limit_s
        )

    def start_recording(self, plan: RecordingPlan) -> str | None:
        return self._recordings.start_beside(self.call, plan)

    def stop_recording(self, url: str) -> None:
        self._recordings.stop_beside(url)

    async def record(self, plan: RecordPlan) -> RecordOutcome | None:
        return await record_message(self, self.leg, self._recordings, plan)

    # ---- inside ----

    async def _answer(self, invite: CallInvite) -> None:
        call = self.call
        # Written down before the caller can know: a crash loses no call that was answered. The disk and the
        # media process are waited for together.
        written = self._journal.answering(call)
        try:
            if invite.offer is not None:
                description = await call.audio.answer(invite.offer)
                await written
                await invite.answer(description)
                call.audio.acknowledged()
            else:
                description = await call.audio.offer()
                await written
                answer = await invite.answer(description)
                if answer is None:
                    raise OfferRejected(status=488)
                call.audio.accept(answer)
            call.status, call.answered_at = "in-progress", datetime.now(UTC)
            call.became("in-progress")
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
            call.status = "canceled" if error.cause == "cancel" else "failed"
            call.end(f"{error.cause} while answering")
            raise CallEnded from error
