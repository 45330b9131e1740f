"""`<Dial>` of phones: others are rung for a caller, the first to answer and to let himself be connected talks
to him.

Each callee is a call of its own, with a task and a record, which outlives the bridge when the API gives it
another document. Meanwhile the caller hears ringing, or what a single callee sends before he answers. Who
answers hears his noun's document first (screening); the first to come through that wins, and the others are
cancelled.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from townhall.calls.bridge import Bridge
from townhall.calls.call import Call
from townhall.calls.clips import ClipLibrary
from townhall.calls.control import LiveCall
from townhall.calls.plan import OutboundPlan
from townhall.routing import CallRefused
from townhall.twiml.control import (
    CallEnded,
    CallRedirected,
    DialCallStatus,
    DialOutcome,
    FetchFailed,
    Notice,
)
from townhall.twiml.dial_plan import CallTarget, DialPlan
from townhall.twiml.screening import run_screening

DEFAULT_RING_TONE = "us"

_MOST_TELLING: tuple[DialCallStatus, ...] = ("completed", "busy", "no-answer", "failed", "canceled")


class Exchange(Protocol):
    """What dialling needs of the switchboard."""

    async def place(self, plan: OutboundPlan) -> Call: ...

    def hang_up(self, call: Call, cause: str, reason_header: str | None = None) -> None: ...

    async def owns(self, number: str) -> bool:
        """Whether a number is one of the server's own."""


class DialDesk:
    def __init__(self, exchange: Exchange, clips: ClipLibrary) -> None:
        self._exchange = exchange
        self._clips = clips

    async def dial(self, control: LiveCall, plan: DialPlan) -> DialOutcome:
        """Ring the plan's targets and talk to who answers; an end or a redirect is in the outcome."""
        refusal = await self._refuse_caller_id(control.call, plan.caller_id)
        if refusal is not None:
            return DialOutcome("failed", error=refusal)
        rounds = [(target,) for target in plan.targets] if plan.sequential else [plan.targets]
        outcome = DialOutcome("failed")
        for targets in rounds:
            outcome = await DialRound(self._exchange, self._clips, control, plan, targets).run()
            if outcome.bridged or outcome.interruption is not None:
                break
        return outcome

    async def _refuse_caller_id(self, call: Call, caller_id: str | None) -> Notice | None:
        """Only numbers of the call or of the house may be shown: others would be somebody else's."""
        digits = (caller_id or "").lstrip("+")
        if caller_id is None or not digits.isdecimal() or caller_id in (call.from_, call.to):
            return None
        if await self._exchange.owns(caller_id) or f"sip:{caller_id}@" in (call.from_ + call.to):
            return None
        return Notice(
            13214,
            "error",
            f"<Dial> callerId: read {caller_id!r}, expected the caller's number, the one he called, or a "
            "number of this server",
        )


class DialRound:
    """One round of ringing, of all targets at once."""

    def __init__(
        self,
        exchange: Exchange,
        clips: ClipLibrary,
        control: LiveCall,
        plan: DialPlan,
        targets: Sequence[CallTarget],
    ) -> None:
        self._exchange = exchange
        self._clips = clips
        self._control = control
        self._plan = plan
        self._targets = targets
        self._bridge = Bridge(control.call.sid)
        self._children: list[Call] = []
        self._winner: asyncio.Future[Call] = asyncio.get_running_loop().create_future()
        self._sound: asyncio.Task[None] | None = None

    async def run(self) -> DialOutcome:
        call = self._control.call
        interruption = call.interruption
        try:
            await self._call_all()
            if not self._children:
                return DialOutcome("failed")
            self._start_sound()
            star = asyncio.ensure_future(self._star())
            everybody = asyncio.ensure_future(self._all_over())
            racers: set[asyncio.Future[Any]] = {self._winner, everybody, star, call.over, interruption}
            try:
                await asyncio.wait(racers, return_when=asyncio.FIRST_COMPLETED)
            finally:
                star.cancel()
                everybody.cancel()
            if call.over.done():
                return self._failed("canceled", CallEnded())
            if interruption.done():
                return self._failed("canceled", self._control.obey(interruption))
            if self._winner.done():
                return await self._talk(self._winner.result())
            return self._failed()
        finally:
            await self._stop_sound()
            self._bridge.end(call.sid)
            self._cancel_others(None)

    # ---- ringing ----

    async def _call_all(self) -> None:
        call, plan = self._control.call, self._plan
        shown = plan.caller_id or call.from_
        for target in self._targets:
            try:
                child = await self._exchange.place(
                    OutboundPlan(
                        to=target.to,
                        from_=shown,
                        program=self._course(target),
                        direction="outbound-dial",
                        parent_call_sid=call.sid,
                        timeout_s=plan.timeout_s,
                        send_digits=target.send_digits,
                        sip_auth=target.auth,
                        parameters=target.parameters,
                        status_callback=target.status_callback,
                    )
                )
            except CallRefused as refused:
                self._control.report(Notice(refused.code, "error", f"<Dial> {target.to}: {refused.message}"))
            else:
                self._children.append(child)

    def _course(self, target: CallTarget) -> Callable[[LiveCall], Awaitable[None]]:
        async def take_part(child: LiveCall) -> None:
            """What a callee does once he has answered."""
            if target.screening is not None:
                self._ring_on()
                try:
                    await run_screening(child, target.screening)
                except FetchFailed as failure:
                    child.report(Notice(failure.code, "error", failure.message, failure.url))
                    return
            if not self._winner.done() and not self._bridge.over.done():
                self._winner.set_result(child.call)
                await self._bridge.stay(child)

        return take_part

    async def _all_over(self) -> None:
        for child in self._children:
            await asyncio.wait({child.over})

    async def _star(self) -> None:
        """With `hangupOnStar`, `*` ends the ringing, too."""
        while await self._control.call.digits.get() != "*" or not self._plan.hangup_on_star:
            pass

    # ---- what the caller hears meanwhile ----

    def _start_sound(self) -> None:
        if not self._control.answered:
            return  # his own phone rings for him
        if len(self._children) == 1:
            child = self._children[0]
            child.on_early_media = lambda: self._hear_early(child)
            if child.early_media:
                return self._hear_early(child)
        self._ring_on()

    def _ring_on(self) -> None:
        """Ringing, from now on."""
        if self._sound is not None or not self._control.answered or self._winner.done():
            return
        clip = self._clips.ringing(self._plan.ring_tone or DEFAULT_RING_TONE)
        self._sound = asyncio.create_task(self._ring_forever(clip), name=f"ringing {self._control.call.sid}")

    async def _ring_forever(self, clip: str) -> None:
        try:
            await self._control.play_forever(clip)
        except (CallEnded, CallRedirected):
            return

    def _hear_early(self, child: Call) -> None:
        if child.audio.leg is None or self._winner.done():
            return
        if self._sound is not None:
            self._sound.cancel()
            self._sound = None
        bus = self._bridge.bus
        child.audio.leg.set_mix(bus, hears=False, heard=True)
        self._control.leg.set_mix(bus, hears=True, heard=False)

    async def _stop_sound(self) -> None:
        for child in self._children:
            child.on_early_media = None
        if self._sound is not None:
            self._sound.cancel()
            await asyncio.wait({self._sound})
            self._sound = None
        if self._control.call.audio.leg is not None:
            self._control.leg.set_mix(None)

    # ---- talking ----

    async def _talk(self, child: Call) -> DialOutcome:
        self._cancel_others(child)
        await self._stop_sound()
        interruption: CallEnded | CallRedirected | None = None
        url: str | None = None
        try:
            await self._control.answer()
            url = self._control.start_recording(self._plan.record) if self._plan.record else None
            await self._bridge.stay(
                self._control,
                hangup_on_star=self._plan.hangup_on_star,
                time_limit_s=self._plan.time_limit_s,
            )
        except (CallEnded, CallRedirected) as ended:
            interruption = ended
        finally:
            if url is not None:
                self._control.stop_recording(url)
        return DialOutcome(
            "completed",
            dial_call_sid=child.sid,
            dial_call_duration_s=child.duration_s,
            bridged=self._bridge.complete,
            interruption=interruption,
            parameters=(*_sip_parameters(child), *((("RecordingUrl", url),) if url else ())),
        )

    def _failed(
        self, status: DialCallStatus | None = None, interruption: CallEnded | CallRedirected | None = None
    ) -> DialOutcome:
        """Nobody was connected."""
        found = {child.status for child in self._children if child.over.done()}
        outcome: DialCallStatus = status or _most_telling(found)
        telling = next((child for child in self._children if child.status == outcome), self._children[-1])
        return DialOutcome(
            outcome,
            dial_call_sid=telling.sid,
            dial_call_duration_s=telling.duration_s,
            interruption=interruption,
            parameters=_sip_parameters(telling),
        )

    def _cancel_others(self, winner: Call | None) -> None:
        for child in self._children:
            if child is not winner and child is not _settled(self._winner) and not child.over.done():
                self._exchange.hang_up(child, "another phone answered" if winner else "no longer dialled")


def _most_telling(found: set[str]) -> DialCallStatus:
    for status in _MOST_TELLING:
        if status in found:
            return status
    return "canceled"


def _settled(winner: asyncio.Future[Call]) -> Call | None:
    return winner.result() if winner.done() else None


def _sip_parameters(child: Call) -> tuple[tuple[str, str], ...]:
    """What the action is told of a callee's SIP side, where he was called by his address."""
    if not child.to.lower().startswith("sip:"):
        return ()
    status = str(child.sip_status) if child.sip_status is not None else ""
    return ("DialSipCallId", child.call_id), ("DialSipResponseCode", status)
