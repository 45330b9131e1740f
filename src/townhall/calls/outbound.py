"""Calls of ours: placed, rung over one way after the other, and run once they are answered.

`queued` until somebody rings, `ringing` from the first 18x on, then `in-progress`, or what the last SIP
status makes of it (`townhall.routing.outcomes`). Redirects are followed, each target once; a registered
user's phones ring all at once; a trunk that fails, or gives no sign of life, makes room for the next.
"""

import asyncio
from datetime import UTC, datetime

from townhall.calls.call import Call
from townhall.calls.control import LiveCall
from townhall.calls.destinations import Destinations, Group, Way
from townhall.calls.journal import StoreJournal
from townhall.calls.negotiation import LegRefusedError
from townhall.calls.plan import OutboundPlan
from townhall.calls.ringing import Answered, RingingGroup
from townhall.calls.switchboard import Switchboard
from townhall.ids import new_sid
from townhall.routing import outcome_of, try_another_way
from townhall.signalling import InviteFailed, OfferRejected, UserAgent
from townhall.signalling.protocols import Browsers
from townhall.twiml.control import CallEnded, CallRedirected, ConferenceDial, DocumentRequest
from townhall.twiml.interpreter import InlineDocument

__all__ = ["OutboundDesk", "OutboundPlan"]

MOST_REDIRECTS = 5
NO_SIGN_S = 5.0
"""A trunk without any response for so long is taken for dead, when there is another."""


class OutboundDesk:
    """Places calls for the switchboard."""

    def __init__(
        self,
        account_sid: str,
        switchboard: Switchboard,
        user_agent: UserAgent,
        browsers: Browsers,
        destinations: Destinations,
        journal: StoreJournal,
        own_host: str | None = None,
    ) -> None:
        """`own_host`: stands in From where no trunk's name does; None: the address we call from."""
        self._account_sid = account_sid
        self._switchboard = switchboard
        self._user_agent = user_agent
        self._browsers = browsers
        self._destinations = destinations
        self._journal = journal
        self._own_host = own_host

    async def place(self, plan: OutboundPlan) -> Call:
        """Call somebody; returns at once, with status `queued`. Raises `CallRefused`."""
        ways = await self._destinations.ways(plan)
        call = Call(
            sid=new_sid("CA"),
            account_sid=self._account_sid,
            from_=plan.from_,
            to=plan.to,
            audio=self._switchboard.audio_toward("127.0.0.1", ""),  # until a way is rung
            own_parameters=list(plan.parameters),
            direction=plan.direction,
            status="queued",
            plan=plan,
            parent_call_sid=plan.parent_call_sid,
        )
        self._switchboard.begin(call, lambda control: self._course(control, plan, ways))
        return call

    # ---- the course of a call ----

    async def _course(self, control: LiveCall, plan: OutboundPlan, ways: list[Group]) -> None:
        call = control.call
        try:
            answered = await self._ring(call, plan, ways)
            await self._take_up(call, answered)
        except InviteFailed as error:
            call.sip_status = error.status
            # Whoever ended it from outside has said why.
            call.status = "canceled" if call.over.done() else outcome_of(error.status)
            call.end(f"not answered: {error.status} {error.reason}")
            return
        except (LegRefusedError, OfferRejected) as error:
            call.status = "failed"
            call.end(str(error))
            await call.hang_up('SIP;cause=488;text="No audio"')
            return
        await self._run(control, plan)
        await call.hang_up()  # it may have been ended from outside while it was being answered

    async def _ring(self, call: Call, plan: OutboundPlan, groups: list[Group]) -> Answered:
        """Try one group after the other until somebody answers; raises `InviteFailed` with the last reason.

        Raises `LegRefusedError` when the media has no room.
        """
        failure = InviteFailed(480, "Not registered")
        tried = {way.target for group in groups for way in group}
        waiting, redirects = list(groups), 0
        deadline = asyncio.get_running_loop().time() + plan.timeout_s
        while waiting:
            group = [way for way in waiting.pop(0) if self._destinations.may_try(way)]
            if not group:
                continue
            ringing = RingingGroup(
                self._switchboard, self._user_agent, self._browsers, call, plan, group, self._own_host
            )
            try:
                return await ringing.answered(deadline, NO_SIGN_S if waiting else None)
            except InviteFailed as error:
                failure = error
            if call.over.done() or asyncio.get_running_loop().time() >= deadline:
                break
            if 300 <= failure.status < 400:
                phones = [way for way in group if isinstance(way, Way)]
                for contact in failure.contacts:
                    way = await self._destinations.redirected(phones[0], contact)
                    if way is not None and way.target not in tried and redirects < MOST_REDIRECTS:
                        redirects += 1
                        tried.add(way.target)
                        waiting.insert(0, [way])
            elif not try_another_way(failure.status, ringing.rang):
                break
        raise failure

    async def _take_up(self, call: Call, answered: Answered) -> None:
        call.audio, call.sip_status = answered.audio, 200
        call.take_session(answered.session)
        if call.over.done():  # from outside, in the moment of the answer
            await call.hang_up()
            raise InviteFailed(487, "Request Terminated")
        if answered.sdp:
            call.audio.accept(answered.sdp)
        call.status = "in-progress"
        await self._journal.answering(call)
        call.answered_at = datetime.now(UTC)
        call.became("in-progress")
        if call.plan is not None and call.plan.record is not None:
            self._switchboard.recordings.start_beside(call, call.plan.record)

    async def _run(self, control: LiveCall, plan: OutboundPlan) -> None:
        call = control.call
        watch = asyncio.create_task(self._switchboard.watch(call), name=f"end of {call.sid}")
        limit = self._limit(call, plan.time_limit_s)
        try:
            if plan.send_digits:
                await control.play_digits(plan.send_digits)
            await self._perform(control, plan)
        except CallEnded:
            pass
        except CallRedirected as redirected:
            await self._obey(control, redirected, plan.fallback)
        finally:
            watch.cancel()
            if limit is not None:
                limit.cancel()

    async def _perform(self, control: LiveCall, plan: OutboundPlan) -> None:
        program = plan.program
        match program:
            case DocumentRequest() | InlineDocument():
                await self._switchboard.run_document(control, program, plan.fallback)
            case ConferenceDial():
                outcome = await control.join_conference(program)
                if outcome.error is not None:
                    control.report(outcome.error)
            case _:
                await program(control)

    async def _obey(
        self, control: LiveCall, redirected: CallRedirected, fallback: DocumentRequest | None
    ) -> None:
        """The API gave the call another document: from now on it runs that."""
        if redirected.inline is not None:
            await self._switchboard.run_document(control, InlineDocument(redirected.inline), fallback)
        elif redirected.request is not None:
            await self._switchboard.run_document(control, redirected.request, fallback)

    def _limit(self, call: Call, seconds: float | None) -> asyncio.TimerHandle | None:
        if seconds is None:
            return None
        return asyncio.get_running_loop().call_later(
            seconds, self._switchboard.hang_up, call, f"its time limit of {seconds:g} s is over"
        )
