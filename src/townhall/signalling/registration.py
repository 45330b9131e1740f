"""Being registered at a trunk: REGISTER, again before it runs out, and with growing pauses while it fails
(RFC 3261 section 10.2).

Left out: outbound flows (RFC 5626) and finding our public address from the answer.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass

from townhall.signalling.user_agent import UserAgent
from townhall.sip import SIPParseError
from townhall.sip.message import Response
from townhall.sip.outcome import InviteFailed
from townhall.sip.outside import RequestPlan

_log = logging.getLogger("townhall.signalling")

EXPIRES_S = 3600
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 300.0
_REFRESH_AT = 0.8
"""Share of its life after which a registration is renewed."""
_SHORTEST_S = 5.0


@dataclass(frozen=True, slots=True)
class RegistrationSettings:
    registrar: str
    """URI that REGISTER goes to: `sip:trunk.example:5060;transport=udp`."""
    username: str
    password: str
    host: str
    """The domain of our address there."""


class Registration:
    """`run` keeps it until it is cancelled; `tell` hears of every change: registered or not, and why."""

    def __init__(
        self, user_agent: UserAgent, settings: RegistrationSettings, tell: Callable[[bool, str], None]
    ) -> None:
        self._user_agent = user_agent
        self._settings = settings
        self._tell = tell
        self._call_id: str | None = None
        self._cseq = 0
        self._expires_s = EXPIRES_S

    async def run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            lifetime_s = await self._register()
            if lifetime_s is None:
                # Spread, so that a provider which comes back is not met by everybody at once.
                await asyncio.sleep(pause_s * random.uniform(0.75, 1.25))
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                pause_s = FIRST_PAUSE_S
                await asyncio.sleep(max(_SHORTEST_S, lifetime_s * _REFRESH_AT))

    async def leave(self) -> None:
        """Take the registration back; does not insist."""
        await self._send(0)

    async def _register(self) -> float | None:
        """Register once; for how many seconds it holds, or None."""
        response = await self._send(self._expires_s)
        if response is None:
            self._tell(False, "no answer to REGISTER")
            return None
        if response.status == 423:
            asked = response.headers.get("Min-Expires") or ""
            if asked.isdecimal() and int(asked) > self._expires_s:
                self._expires_s = int(asked[:9])
                return await self._register()
        if response.status >= 300:
            self._tell(False, f"REGISTER was answered {response.status} {response.reason}")
            return None
        self._tell(True, "registered")
        return self._lifetime(response)

    async def _send(self, expires_s: int) -> Response | None:
        settings = self._settings
        try:
            hop = await self._user_agent.first_hop(settings.registrar)
        except InviteFailed as error:
            _log.info("%s: %s", settings.registrar, error)
            return None
        own = f"sip:{settings.username}@{settings.host}"
        self._call_id = self._call_id or f"{random.getrandbits(96):024x}"
        self._cseq += 1
        response, self._cseq = await self._user_agent.ask(
            RequestPlan(
                method="REGISTER",
                target=settings.registrar.partition(";")[0],
                from_uri=own,
                to_uri=own,
                hop=hop,
                headers=(("Expires", str(expires_s)),),
                credentials=(settings.username, settings.password),
                call_id=self._call_id,
                cseq=self._cseq,
                contact_user=settings.username,
            )
        )
        return response

    def _lifetime(self, response: Response) -> float:
        """What the registrar grants: the shortest of our contacts, else Expires, else what we asked."""
        granted: list[int] = []
        try:
            contacts = response.contacts
            if contacts != "*":
                granted = [c.expires for c in contacts if c.expires is not None]
            expires = response.expires
        except SIPParseError:
            expires = None
        if expires is not None:
            granted.append(expires)
        return float(min(granted, default=self._expires_s))
