"""The server's side: challenges that can be checked without remembering them, and no request twice.

A nonce is its time and number with an HMAC over both, so it costs no memory until somebody answers it. From
then on its nonce counts are remembered, in a window as RFC 6479 has it for IPsec, until the nonce's life is
over.
"""

from __future__ import annotations

import enum
import hmac
from dataclasses import dataclass

from townhall.sip.digest.challenge import Challenge, Credentials
from townhall.sip.digest.response import canonical_algorithm, digest_response

WINDOW = 64


class Verdict(enum.Enum):
    ACCEPTED = "accepted"
    STALE = "stale"
    """The password is right, but the nonce is old, unknown or used up: challenge again with stale=true."""
    REFUSED = "refused"


@dataclass(slots=True)
class _Use:
    """Which nonce counts were seen: the highest, and a bit for each of the `WINDOW` up to it."""

    issued: float
    highest: int = 0
    seen: int = 0

    def take(self, nc: int) -> bool:
        """Mark a count as seen; False when it was before, or is too old to tell."""
        if nc > self.highest:
            ahead = nc - self.highest
            self.seen = (self.seen << ahead) % (1 << WINDOW) if ahead < WINDOW else 0
            self.highest = nc
        bit = 1 << (self.highest - nc) if self.highest - nc < WINDOW else 0
        if not bit or self.seen & bit:
            return False
        self.seen |= bit
        return True


class DigestAuthenticator:
    """Challenges for one realm, and their verification. `secret` is known only to this server."""

    def __init__(
        self,
        realm: str,
        secret: bytes,
        *,
        lifetime_s: float = 300.0,
        algorithms: tuple[str, ...] = ("SHA-256", "MD5"),
        max_nonces: int = 10_000,
    ) -> None:
        self._realm = realm
        self._secret = secret
        self._lifetime_s = lifetime_s
        self._algorithms = algorithms
        self._max_nonces = max_nonces
        self._issued_count = 0
        self._uses: dict[str, _Use] = {}
        # Nonces forgotten for lack of room were issued up to then; none so old may begin a new life.
        self._forgotten_until = float("-inf")

    def challenges(self, now: float, *, stale: bool = False) -> list[Challenge]:
        """One challenge for each algorithm, the strongest first: a client takes the topmost it can."""
        nonce = self._issue(now)
        return [
            Challenge(realm=self._realm, nonce=nonce, algorithm=algorithm, qop=("auth",), stale=stale)
            for algorithm in self._algorithms
        ]

    def verify(self, credentials: Credentials, *, method: str, password: str | None, now: float) -> Verdict:
        """Judge a request's credentials; `password` None means that there is no such user.

        Takes as long for an unknown user as for a wrong password. Credentials without qop (RFC 2069) are
        accepted, once for each nonce. The digest's uri is not compared with the Request-URI, which proxies
        rewrite.
        """
        algorithm = canonical_algorithm(credentials.algorithm)
        if algorithm not in self._algorithms or credentials.realm != self._realm:
            return Verdict.REFUSED
        if credentials.qop not in (None, "auth"):
            return Verdict.REFUSED
        expected = digest_response(
            algorithm=algorithm,
            username=credentials.username,
            realm=self._realm,
            password=password if password is not None else "",
            nonce=credentials.nonce,
            method=method,
            uri=credentials.uri,
            qop=credentials.qop,
            nc=credentials.nc,
            cnonce=credentials.cnonce,
        )
        matches = hmac.compare_digest(expected.encode(), credentials.response.encode("utf-8", "replace"))
        if not matches or password is None:
            return Verdict.REFUSED
        nc = credentials.nc if credentials.qop is not None else 1
        return Verdict.ACCEPTED if nc and self._use(credentials.nonce, nc, now) else Verdict.STALE

    def _issue(self, now: float) -> str:
        self._issued_count += 1
        stamp = f"{max(0, int(now * 1000)):x}.{self._issued_count:x}"
        return f"{stamp}.{self._seal(stamp)}"

    def _seal(self, stamp: str) -> str:
        return hmac.digest(self._secret, f"{stamp}:{self._realm}".encode(), "sha256").hex()[:32]

    def _issued_at(self, nonce: str) -> float | None:
        """When a nonce of ours was issued; None for those of others."""
        stamp, _, seal = nonce.rpartition(".")
        if not hmac.compare_digest(self._seal(stamp).encode(), seal.encode("utf-8", "replace")):
            return None
        return int(stamp.partition(".")[0], 16) / 1000

    def _use(self, nonce: str, nc: int, now: float) -> bool:
        issued = self._issued_at(nonce)
        if issued is None or now - issued > self._lifetime_s:
            return False
        use = self._uses.get(nonce)
        if use is None:
            if issued <= self._forgotten_until:
                return False
            self._make_room(now)
            use = self._uses[nonce] = _Use(issued)
        return use.take(nc)

    def _make_room(self, now: float) -> None:
        if len(self._uses) < self._max_nonces:
            return
        self._uses = {n: use for n, use in self._uses.items() if now - use.issued <= self._lifetime_s}
        while len(self._uses) >= self._max_nonces:
            oldest = self._uses.pop(next(iter(self._uses)))
            self._forgotten_until = max(self._forgotten_until, oldest.issued)
