"""The user agent: the pure endpoint of `townhall.sip` on real sockets, under the loop's clock."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from townhall.signalling.complaints import Complaints
from townhall.signalling.incoming import IncomingInvite
from townhall.signalling.outgoing import OutgoingSession
from townhall.signalling.registrar_desk import RegistrarDesk
from townhall.signalling.session import Session
from townhall.signalling.settings import UserAgentSettings
from townhall.signalling.transports import Malformed, Transports
from townhall.sip import SIPURI, Request, Response, SIPParseError
from townhall.sip.endpoint import Endpoint, EndpointSettings
from townhall.sip.events import (
    AnswerAcknowledged,
    CallAnswered,
    CallEnded,
    CallFailed,
    EndpointEvent,
    InviteReceived,
    OfferAnswered,
    OfferFailed,
    ProvisionalReceived,
    RegisterReceived,
    RequestDone,
)
from townhall.sip.hop import Hop
from townhall.sip.invite import Call
from townhall.sip.invite_uac import InvitePlan
from townhall.sip.layer import Send
from townhall.sip.outcome import InviteFailed
from townhall.sip.outside import OutsideRequest, RequestPlan
from townhall.sip.registrar import Answer
from townhall.sip.transaction import ServerTransaction

_log = logging.getLogger("townhall.signalling")
_MAX_REGISTRATIONS = 500  # REGISTERs whose password is being looked up
T = TypeVar("T")


class UserAgent:
    """Start it, and every INVITE goes to `on_invite`, which must not block."""

    def __init__(self, settings: UserAgentSettings, on_invite: Callable[[IncomingInvite], None]) -> None:
        self.settings = settings
        self._on_invite = on_invite
        self._endpoint = Endpoint(
            EndpointSettings(
                user_agent=settings.user_agent,
                public_host=settings.public_host,
                min_session_s=settings.min_session_s,
                max_pending_calls=settings.max_pending_calls,
                max_calls=settings.max_calls,
                max_transactions=settings.max_transactions,
                tcp=settings.tcp,
                timers=settings.timers,
            ),
            new_token=lambda: secrets.token_hex(8),
            chance=random.SystemRandom().randint,
        )
        self._transports = Transports(settings, self._received, self._send_failed)
        self._incoming: dict[Call, IncomingInvite] = {}
        self._outgoing: dict[Call, OutgoingSession] = {}
        self._asking: dict[OutsideRequest, asyncio.Future[Response | None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining = False
        self._stopping = False
        self._idle = asyncio.Event()
        self._complaints = Complaints()
        self._tasks: set[asyncio.Task[None]] = set()
        self.registrar = RegistrarDesk(settings, self._now)
        self._handlers: dict[type, Callable[[Any], None]] = {
            InviteReceived: self._call_invites,
            AnswerAcknowledged: self._answer_acknowledged,
            ProvisionalReceived: self._provisional_received,
            CallAnswered: self._call_answered,
            CallFailed: self._call_failed,
            CallEnded: self._call_ended,
            OfferAnswered: self._offer_answered,
            OfferFailed: self._offer_failed,
            RegisterReceived: self._register_received,
            RequestDone: self._request_done,
        }

    @property
    def addresses(self) -> list[tuple[str, str, int]]:
        """(transport, host, port) of every socket."""
        return self._transports.addresses

    async def start(self) -> None:
        """Open the sockets; raises OSError."""
        self._loop = asyncio.get_running_loop()
        await self._transports.open()

    async def stop(self) -> None:
        """Hang up on everybody, wait for their answers (bounded), close."""
        self._stopping = True
        sessions = [*(invite.session for invite in self._incoming.values()), *self._outgoing.values()]
        for session in sessions:
            await session.hang_up()
        self._drain()
        try:
            async with asyncio.timeout(self.settings.stop_timeout_s):
                while self._endpoint.calls or self._outgoing:
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            _log.info("%d calls did not answer our BYE", len(self._endpoint.calls))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        await self._transports.close()

    # Calling

    async def invite(
        self,
        target: str,
        from_uri: str,
        offer: bytes | None,
        *,
        make_answer: Callable[[bytes], bytes] | None = None,
        headers: Sequence[tuple[str, str]] = (),
        route: str | None = None,
        transport: str | None = None,
        credentials: tuple[str, str] | None = None,
        on_provisional: Callable[[Response], None] | None = None,
        timeout_s: float | None = 180.0,
    ) -> OutgoingSession:
        """Call `target` and wait for the answer; giving up the wait cancels the call.

        `route` is an outbound proxy's URI. Raises InviteFailed.
        """
        session = await self.start_invite(
            target,
            from_uri,
            offer,
            make_answer=make_answer,
            headers=headers,
            route=route,
            transport=transport,
            credentials=credentials,
            on_provisional=on_provisional,
            timeout_s=timeout_s,
        )
        try:
            await session.answered()
        except asyncio.CancelledError:
            await session.hang_up()
            raise
        return session

    async def start_invite(
        self,
        target: str,
        from_uri: str,
        offer: bytes | None,
        *,
        make_answer: Callable[[bytes], bytes] | None = None,
        headers: Sequence[tuple[str, str]] = (),
        route: str | None = None,
        transport: str | None = None,
        credentials: tuple[str, str] | None = None,
        hop: Hop | None = None,
        on_provisional: Callable[[Response], None] | None = None,
        timeout_s: float | None = 180.0,
    ) -> OutgoingSession:
        """Call `target` without waiting: the session may be hung up while it rings, `answered` waits.

        `hop`: where to send the INVITE, when that is known already (a registered phone's connection).
        Raises InviteFailed when there is no way.
        """
        hop = hop or await self.first_hop(route or target, transport)
        plan = InvitePlan(
            target=target,
            from_uri=from_uri,
            hop=hop,
            offer=offer,
            make_answer=make_answer,
            headers=tuple(headers),
            routes=(f"<{route}>",) if route else (),
            credentials=credentials,
            timeout_s=timeout_s,
        )
        call = self._endpoint.invite(plan, self._now())
        session = OutgoingSession(self, call, on_provisional)
        self._outgoing[call] = session
        self._drain()
        return session

    async def first_hop(self, uri_text: str, transport: str | None = None) -> Hop:
        """Where a request for this URI goes first, and our address on the way; raises InviteFailed."""
        try:
            uri = SIPURI.parse(uri_text)
        except SIPParseError as error:
            raise InviteFailed(416, str(error)) from error
        if uri.scheme != "sip":
            raise InviteFailed(416, f"only sip: URIs can be called, not {uri.scheme}:")
        try:
            addresses = await self._transports.names.resolve(uri.host)
        except OSError as error:
            raise InviteFailed(503, f"{uri.host} cannot be resolved") from error
        for address in addresses:
            local = self._transports.local_for(address)
            if local is not None:
                return Hop(transport or uri.transport or "udp", address, uri.port or 5060, local)
        raise InviteFailed(503, f"no socket of ours reaches {uri.host}")

    async def ask(self, plan: RequestPlan) -> tuple[Response | None, int]:
        """Send a request outside dialogs (OPTIONS, REGISTER) and wait for its final response; None: nobody
        answered. The number is the CSeq of the last request sent, as a challenge takes another.
        """
        done: asyncio.Future[Response | None] = asyncio.get_running_loop().create_future()
        request = self._endpoint.ask(plan, self._now())
        self._asking[request] = done
        self._drain()
        try:
            return await done, request.last_cseq
        finally:
            self._asking.pop(request, None)

    # Driving the endpoint

    def run(self, work: Callable[[float], T]) -> T:
        """Do something to the endpoint at the present time, then send and tell what comes of it."""
        try:
            return work(self._now())
        finally:
            self._drain()

    def _now(self) -> float:
        if self._loop is None:
            raise RuntimeError("the user agent was not started")
        return self._loop.time()

    def _received(self, message: Request | Response | Malformed, source: Hop) -> None:
        try:
            if isinstance(message, Malformed):
                self._complain(source, message.text)
                self._endpoint.receive_malformed(message.request, message.status, message.text, source)
            else:
                self._endpoint.receive(message, source, self._now())
        except Exception:
            _log.exception("a message from %s could not be handled", source)
        self._drain()

    def _send_failed(self, send: Send) -> None:
        self.run(lambda now: self._endpoint.send_failed(send, now))

    def _drain(self) -> None:
        """Send and tell until there is nothing left; what is told may give rise to more."""
        if self._draining:
            return
        self._draining = True
        try:
            while True:
                sends, events = self._endpoint.take_sends(), self._endpoint.take_events()
                if not sends and not events:
                    break
                for send in sends:
                    self._transports.send(send)
                for event in events:
                    try:
                        self._handle(event)
                    except Exception:
                        _log.exception("an event could not be handled: %s", type(event).__name__)
        finally:
            self._draining = False
        self._arm()
        if self._stopping:
            self._idle.set()

    def _arm(self) -> None:
        at = self._endpoint.next_timer()
        if at is None or self._loop is None:
            return
        if self._timer is not None:
            if self._timer_at <= at:
                return  # it will fire no later, and look again
            self._timer.cancel()
        # Kept here, as uvloop's handle for a time that has passed cannot say when it is due.
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._timer_fired)

    def _timer_fired(self) -> None:
        self._timer = None
        try:
            # A loop may fire up to its clock's resolution early.
            self._endpoint.handle_timer(self._now() + 0.001)
        except Exception:
            _log.exception("a timer could not be handled")
        self._drain()

    # What the endpoint tells

    def _handle(self, event: EndpointEvent) -> None:
        self._handlers[type(event)](event)

    def _call_invites(self, event: InviteReceived) -> None:
        invite = IncomingInvite(self, event.call)
        self._incoming[event.call] = invite
        if self._stopping:
            invite.reject(503, headers=(("Retry-After", "30"),))
            return
        try:
            self._on_invite(invite)
        except Exception:
            _log.exception("on_invite failed for call %s", invite.call_id)
            invite.reject(500)

    def _answer_acknowledged(self, event: AnswerAcknowledged) -> None:
        if (invite := self._incoming.get(event.call)) is not None:
            invite.acknowledged(event.sdp)

    def _provisional_received(self, event: ProvisionalReceived) -> None:
        if (session := self._outgoing.get(event.call)) is not None:
            session.provisional(event.response)

    def _call_answered(self, event: CallAnswered) -> None:
        if (session := self._outgoing.get(event.call)) is not None:
            session.was_answered(event.sdp)

    def _call_failed(self, event: CallFailed) -> None:
        if (session := self._outgoing.pop(event.call, None)) is not None:
            session.has_failed(event.error)

    def _call_ended(self, event: CallEnded) -> None:
        if (invite := self._incoming.pop(event.call, None)) is not None:
            invite.has_ended(event.ended)
        if (session := self._outgoing.pop(event.call, None)) is not None:
            session.has_ended(event.ended)

    def _offer_answered(self, event: OfferAnswered) -> None:
        if (session := self._session(event.call)) is not None:
            session.offer_answered(event.sdp)

    def _offer_failed(self, event: OfferFailed) -> None:
        if (session := self._session(event.call)) is not None:
            session.offer_failed(event.error)

    def _request_done(self, event: RequestDone) -> None:
        done = self._asking.pop(event.request, None)
        if done is not None and not done.done():
            done.set_result(event.response)

    def _register_received(self, event: RegisterReceived) -> None:
        if len(self._tasks) >= _MAX_REGISTRATIONS:
            self.respond(event.transaction, Answer(503, (("Retry-After", "5"),)))
            return
        task = asyncio.get_running_loop().create_task(self._register(event.transaction))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _register(self, transaction: ServerTransaction) -> None:
        try:
            answer = await self.registrar.answer(transaction.request, transaction.source)
        except SIPParseError as error:
            answer = Answer(error.status_hint)
        except Exception:
            _log.exception("a REGISTER from %s could not be answered", transaction.source)
            answer = Answer(500)
        self.respond(transaction, answer)

    def respond(self, transaction: ServerTransaction, answer: Answer) -> None:
        """Send the registrar's answer."""
        self.run(
            lambda now: self._endpoint.respond(
                transaction, answer.status, now, answer.reason, headers=answer.headers
            )
        )

    def _session(self, call: Call) -> Session | None:
        invite = self._incoming.get(call)
        return invite.session if invite is not None else self._outgoing.get(call)

    def _complain(self, source: Hop, text: str) -> None:
        """Log a source's nonsense once in a while."""
        unsaid = self._complaints.unsaid_before(source.host, self._now())
        if unsaid is not None:
            more = f" ({unsaid} more like it before, from all)" if unsaid else ""
            _log.warning("not SIP from %s: %s%s", source, text, more)
