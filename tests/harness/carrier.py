"""A trunk's other end: it asks for a password (407), takes registrations, and may be out of order."""

import time

from tests.harness.callee import Callee
from tests.harness.story import Story
from tests.harness.tones import tone_for

from townhall.phone import IncomingCall, Phone, PhoneSettings
from townhall.signalling import IncomingInvite, UserAgent, UserAgentSettings
from townhall.sip.digest import Credentials, DigestAuthenticator, Verdict

USER, PASSWORD = "account", "trunk secret"


class Carrier(Phone):
    """`out_of_order`: the status that every call is refused with, when it is set."""

    def __init__(self, settings: PhoneSettings) -> None:
        super().__init__(settings)
        self._agent = UserAgent(
            UserAgentSettings(
                bind_hosts=[settings.host],
                port=0,
                domain="carrier.example",
                credentials=lambda user: PASSWORD if user == USER else None,
            ),
            on_invite=self._invited,
        )
        self._authenticator = DigestAuthenticator("carrier.example", b"s" * 32)
        self.out_of_order: int | None = None
        self.tried: list[str] = []
        """The users that were dialled, out of order or not."""

    @property
    def port(self) -> int:
        return self._agent.addresses[0][2]

    def registered(self) -> bool:
        return bool(self._agent.registrar.bindings(f"sip:{USER}@carrier.example"))

    def _invited(self, invite: IncomingInvite) -> None:
        value = invite.request.headers.get("Proxy-Authorization")
        now = time.monotonic()
        if value is None:
            challenges = self._authenticator.challenges(now)
            headers = tuple(("Proxy-Authenticate", str(challenge)) for challenge in challenges)
            return invite.reject(407, headers=headers)
        verdict = self._authenticator.verify(
            Credentials.parse(value), method="INVITE", password=PASSWORD, now=now
        )
        assert verdict is Verdict.ACCEPTED, verdict
        self.tried.append(invite.request.to.uri.user or "")
        if self.out_of_order is not None:
            return invite.reject(self.out_of_order)
        self._ringing.put_nowait(IncomingCall(self.settings, invite, self._took))


async def carrier(story: Story, name: str) -> tuple[Callee, Carrier]:
    """A carrier that takes calls; its callee is `name`."""
    tone_hz = tone_for(next(story.tones))
    settings = PhoneSettings(user=name, host=story.server.address, tone_hz=tone_hz, takes_calls=True)
    phone = await story.phones.enter_async_context(Carrier(settings))
    return Callee(story, name, tone_hz, phone), phone
