"""The registrar with its clock and its passwords."""

import inspect
import secrets
from collections.abc import Callable

from townhall.signalling.settings import UserAgentSettings
from townhall.sip import Request
from townhall.sip.hop import Hop
from townhall.sip.registrar import Answer, Binding, Registrar, RegistrarSettings


class RegistrarDesk:
    """Answers REGISTER; without a credential store nobody may register."""

    def __init__(self, settings: UserAgentSettings, now: Callable[[], float]) -> None:
        self._credentials = settings.credentials
        self._now = now
        self._registrar = Registrar(RegistrarSettings(realm=settings.domain), secrets.token_bytes(32))

    def bindings(self, address_of_record: str) -> list[Binding]:
        """Where a user can be reached; raises SIPParseError when this is no URI."""
        return self._registrar.bindings(address_of_record, self._now())

    async def answer(self, request: Request, source: Hop) -> Answer:
        """What a REGISTER is answered; raises SIPParseError, and whatever the credential store does."""
        if self._credentials is None:
            return Answer(403)
        claim = self._registrar.claim(request, source, self._now())
        if isinstance(claim, Answer):
            return claim
        found = self._credentials(claim.username)
        password = await found if inspect.isawaitable(found) else found
        return self._registrar.register(request, claim, password, source, self._now())
