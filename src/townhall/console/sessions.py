"""Who is signed in: signed cookies, and what each may see. No I/O.

A session is a signed cookie, so it survives a restart of the server; sign-outs are remembered for as long as
the cookie would be good. It holds a digest of the PIN or password that opened it: when that is changed the
session is over. The cookie is no secret to its owner's browser, but it can't be read by scripts, and it can't
be made without the key.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from typing import Literal

COOKIE = "townhall_console"
LASTS_MS = 12 * 3_600_000
LONGEST_COOKIE = 2_048
MOST_SIGNED_OUT = 10_000

SessionRole = Literal["moderator", "operator"]


@dataclass(frozen=True, slots=True)
class Session:
    """`line`: the one line of a moderator; empty for the operator, who sees all."""

    id: str
    role: SessionRole
    name: str
    line: str
    proof: str = field(repr=False)
    """A digest of what was known when it was opened."""
    expires_at_ms: int

    def sees(self, lines: frozenset[str] | tuple[str, ...]) -> bool:
        """Whether a conference of these lines is his to see and to moderate."""
        return self.role == "operator" or self.line in lines


class Sessions:
    """`secret`: what the keys are made of."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"townhall console: sessions", hashlib.sha256)
        self._signed_out: OrderedDict[str, int] = OrderedDict()

    def open(self, role: SessionRole, name: str, line: str, known: str, now_ms: int) -> Session:
        return Session(
            secrets.token_hex(12), role, name, line, self._digest(role, line, known), now_ms + LASTS_MS
        )

    def cookie(self, session: Session) -> str:
        body = base64.urlsafe_b64encode(json.dumps(asdict(session)).encode()).decode()
        return f"{body}.{self._mac(body)}"

    def read(self, cookie: str, now_ms: int) -> Session | None:
        """The session of a cookie of ours that is still good; None for any other."""
        body, dot, mac = cookie.partition(".")
        if not dot or len(cookie) > LONGEST_COOKIE or not cookie.isascii():
            return None
        if not hmac.compare_digest(self._mac(body), mac):
            return None
        try:
            session = Session(**json.loads(base64.urlsafe_b64decode(body)))
        except TypeError:
            return None  # of another version of ours, whose sessions held something else
        return session if self.is_good(session, now_ms) else None

    def is_good(self, session: Session, now_ms: int) -> bool:
        return now_ms < session.expires_at_ms and session.id not in self._signed_out

    def still_knows(self, session: Session, known: str) -> bool:
        """Whether what opened the session is still the right PIN or password."""
        return hmac.compare_digest(session.proof, self._digest(session.role, session.line, known))

    def sign_out(self, session: Session) -> None:
        self._signed_out[session.id] = session.expires_at_ms
        if len(self._signed_out) > MOST_SIGNED_OUT:
            self._signed_out.popitem(last=False)

    def signed_out(self, now_ms: int) -> dict[str, int]:
        """Session ids that must not be let in again, and until when; to be kept over a restart."""
        return {id_: until for id_, until in self._signed_out.items() if until > now_ms}

    def restore(self, signed_out: dict[str, int]) -> None:
        for id_, until in list(signed_out.items())[-MOST_SIGNED_OUT:]:
            self._signed_out[str(id_)] = int(until)

    def token(self, session: Session) -> str:
        """What every POST must carry in a header: another site's page cannot read it."""
        return self._mac(f"token {session.id}")

    def is_token(self, session: Session, token: str) -> bool:
        return token.isascii() and hmac.compare_digest(self.token(session), token)

    def _digest(self, role: str, line: str, known: str) -> str:
        return self._mac("\0".join(("known", role, line, known)))[:32]

    def _mac(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
