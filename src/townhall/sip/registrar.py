"""The registrar's rules: who may bind which contacts to an address, and for how long (RFC 3261 section 10.3).

Pure: the shell asks `claim` whose password is needed, fetches it, and has `register` decide. An
address-of-record is the user of its name: the one domain has as many names as phones call it by. Sources that
keep giving wrong passwords are put off. Bindings live in memory. Left out: third-party registration, Path
(RFC 3327), GRUU, outbound (RFC 5626) flows, q values.
"""

from __future__ import annotations

from dataclasses import dataclass

from townhall.sip.address import Address
from townhall.sip.digest import Credentials, DigestAuthenticator, Verdict
from townhall.sip.errors import SIPParseError
from townhall.sip.hop import Hop
from townhall.sip.message import Request
from townhall.sip.uri import SIPURI

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RegistrarSettings:
    """Seconds a binding may live, and how many there may be; `guesses` wrong passwords a source has per
    window.
    """

    realm: str = "townhall"
    min_expires_s: int = 60
    default_expires_s: int = 3600
    max_expires_s: int = 7200
    max_bindings: int = 10
    max_addresses: int = 10_000
    guesses: int = 10
    guess_window_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a user can be reached until `expires_at` (monotonic seconds); `hop` is where the REGISTER came
    from.
    """

    uri: SIPURI
    expires_at: float
    call_id: str
    cseq: int
    hop: Hop


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and headers of the response to a REGISTER."""

    status: int
    headers: Fields = ()
    reason: str | None = None


class _Refused(Exception):
    """The answer that ends the look at a REGISTER."""

    def __init__(self, status: int, headers: Fields = (), reason: str | None = None) -> None:
        self.answer = Answer(status, headers, reason)


class Registrar:
    """The bindings of one domain. `secret` seals the nonces."""

    def __init__(self, settings: RegistrarSettings, secret: bytes) -> None:
        self._settings = settings
        self._authenticator = DigestAuthenticator(settings.realm, secret)
        self._bindings: dict[str, list[Binding]] = {}
        self._guesses: dict[str, tuple[float, int]] = {}

    def claim(self, request: Request, source: Hop, now: float) -> Credentials | Answer:
        """Whose password `register` will need, or the answer when there is nothing to look up."""
        if self._is_put_off(source.host, now):
            return Answer(503, (("Retry-After", str(int(self._settings.guess_window_s))),))
        for value in request.headers.get_all("Authorization"):
            try:
                credentials = Credentials.parse(value)
            except SIPParseError:
                continue
            if credentials.realm == self._settings.realm:
                return credentials
        return self._challenge(now)

    def register(
        self, request: Request, credentials: Credentials, password: str | None, source: Hop, now: float
    ) -> Answer:
        """Judge the credentials, then change or list the bindings; may raise SIPParseError (answer 400)."""
        verdict = self._authenticator.verify(credentials, method=request.method, password=password, now=now)
        if verdict is Verdict.STALE:
            return self._challenge(now, stale=True)
        if verdict is not Verdict.ACCEPTED:
            self._note_guess(source.host, now)
            return self._challenge(now)
        address = request.to.uri.address_of_record
        if address.user != credentials.username:
            return Answer(403, reason="Not Your Address")
        try:
            return self._change(credentials.username, request, source, now)
        except _Refused as refused:
            return refused.answer

    def bindings(self, address_of_record: str, now: float) -> list[Binding]:
        """The living bindings of an address, the newest last."""
        user = SIPURI.parse(address_of_record).user or ""
        return [binding for binding in self._bindings.get(user, []) if binding.expires_at > now]

    def _challenge(self, now: float, *, stale: bool = False) -> Answer:
        challenges = self._authenticator.challenges(now, stale=stale)
        return Answer(401, tuple(("WWW-Authenticate", str(challenge)) for challenge in challenges))

    def _change(self, key: str, request: Request, source: Hop, now: float) -> Answer:
        """All contacts of a request, or none (section 10.3, step 7)."""
        kept = [binding for binding in self._bindings.get(key, []) if binding.expires_at > now]
        contacts = request.contacts
        if contacts == "*":
            if request.expires != 0:
                raise _Refused(400, reason="Contact * Needs Expires 0")
            for binding in kept:
                self._check_order(binding, request)
            kept = []
        else:
            for contact in contacts:
                self._change_one(kept, contact, request, source, now)
        if len(kept) > self._settings.max_bindings:
            raise _Refused(403, reason="Too Many Contacts")
        if kept and key not in self._bindings and len(self._bindings) >= self._settings.max_addresses:
            self._sweep(now)
            if len(self._bindings) >= self._settings.max_addresses:
                raise _Refused(503, (("Retry-After", "60"),))
        self._bindings[key] = kept
        if not kept:
            del self._bindings[key]
        return Answer(200, tuple(("Contact", _write(binding, now)) for binding in kept))

    def _change_one(
        self, kept: list[Binding], contact: Address, request: Request, source: Hop, now: float
    ) -> None:
        seconds = self._lifetime(contact, request)
        for old in [binding for binding in kept if binding.uri.is_equivalent(contact.uri)]:
            self._check_order(old, request)
            kept.remove(old)
        if seconds:
            kept.append(Binding(contact.uri, now + seconds, request.call_id, request.cseq.number, source))

    def _lifetime(self, contact: Address, request: Request) -> int:
        settings = self._settings
        asked = contact.expires if contact.expires is not None else request.expires
        seconds = settings.default_expires_s if asked is None else asked
        if 0 < seconds < settings.min_expires_s:
            raise _Refused(423, (("Min-Expires", str(settings.min_expires_s)),))
        return min(seconds, settings.max_expires_s)

    def _check_order(self, binding: Binding, request: Request) -> None:
        if binding.call_id == request.call_id and request.cseq.number <= binding.cseq:
            raise _Refused(500, reason="CSeq Out of Order")

    def _sweep(self, now: float) -> None:
        self._bindings = {
            key: bindings
            for key, bindings in self._bindings.items()
            if any(binding.expires_at > now for binding in bindings)
        }

    def _is_put_off(self, host: str, now: float) -> bool:
        since, count = self._guesses.get(host, (now, 0))
        return count >= self._settings.guesses and now - since < self._settings.guess_window_s

    def _note_guess(self, host: str, now: float) -> None:
        since, count = self._guesses.pop(host, (now, 0))
        if now - since >= self._settings.guess_window_s:
            since, count = now, 0
        while len(self._guesses) >= self._settings.max_addresses:
            del self._guesses[next(iter(self._guesses))]
        self._guesses[host] = (since, count + 1)


def _write(binding: Binding, now: float) -> str:
    return f"<{binding.uri}>;expires={max(1, round(binding.expires_at - now))}"
