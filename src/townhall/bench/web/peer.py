"""A browser's transport as little as it may be: checks to one address, a DTLS client, keys for SRTP.

Does no I/O. `look` is called often and `receive` for what comes that is no sound; both give what is to be
sent. The sound itself goes by in batches, see `protection`.
"""

import secrets

from OpenSSL import SSL

from townhall.ice import Check, Credentials, StunError, parse
from townhall.ice.answers import fault_of, success
from townhall.ice.message import Message
from townhall.media.secure.dtls import Association, DtlsError, Role
from townhall.media.secure.srtp import Protection

CHECK_S = 0.05
"""Between checks until one is answered."""
CONSENT_S = 2.5
"""Between checks afterwards; Chromium's pace."""
_ANYWHERE = (bytes(4), 9)


class WebPeer:
    """One browser that calls one server."""

    def __init__(
        self,
        context: SSL.Context,
        local: Credentials,
        remote: Credentials,
        fingerprint: str,
        role: Role = "client",
    ) -> None:
        """`context`: with the browser's certificate (`dtls.make_context`); `remote`, `fingerprint`: the
        server's.
        """
        self.local = local
        self.remote = remote
        self.protection: Protection | None = None
        """There once the handshake is through."""
        self.connected = False
        """A check was answered."""
        self.failure = ""
        """Why there will be no sound."""
        self._association = Association(context, role, fingerprint)
        self._tie_breaker = secrets.randbits(64)
        self._check: Check | None = None
        self._next_check = 0.0

    def expect(self, local: Credentials, remote: Credentials) -> None:
        """Check with these from now on: an ICE restart."""
        self.local, self.remote = local, remote
        self._check, self._next_check, self.connected = None, 0.0, False

    def check_now(self) -> None:
        """Check at the next look: where we are has changed."""
        self._next_check = 0.0

    def look(self, now: float) -> list[bytes]:
        """What is due."""
        datagrams = [] if now < self._next_check else [self._request(now)]
        if self.connected and not self.failure:
            datagrams += self._dtls(b"")
        return datagrams

    def _request(self, now: float) -> bytes:
        self._next_check = now + (CONSENT_S if self.connected else CHECK_S)
        if self._check is None:
            transaction = secrets.token_bytes(12)
            self._check = Check(self.local, self.remote, transaction, self._tie_breaker, nominate=True)
        return self._check.request()

    def receive(self, datagram: bytes, now: float) -> list[bytes]:
        """Take in a datagram of STUN or DTLS; others are passed over."""
        if datagram[:1] < b"\x04":
            return self._take_stun(datagram, now)
        if b"\x14" <= datagram[:1] < b"\x40" and not self.failure:
            return self._dtls(datagram)
        return []

    def _take_stun(self, datagram: bytes, now: float) -> list[bytes]:
        try:
            message = parse(datagram)
            if message.kind == "request":
                return self._answer(message)
            if self._check is not None:
                self._check.answered(message)
                self._check, self.connected = None, True
                self._next_check = now + CONSENT_S
        except StunError:
            pass
        return []

    def _answer(self, request: Message) -> list[bytes]:
        key = self.local.pwd.encode()
        request.controlled = None  # the server's role, which no lite agent takes
        if fault_of(request, key) is not None:
            return []
        return [success(request, _ANYWHERE, key)]

    def _dtls(self, datagram: bytes) -> list[bytes]:
        association = self._association
        try:
            if datagram:
                flight = association.receive(datagram)
            elif association.role == "client" and association.state == "new":
                flight = association.start()
            else:
                flight = association.look()
        except DtlsError as error:
            self.failure = str(error)
            return association.parting()
        if association.keys is not None and self.protection is None:
            self.protection = Protection(association.keys)
        if association.state == "closed":
            self.failure = "the server said goodbye"
        return flight

    def close(self) -> list[bytes]:
        """A goodbye."""
        return self._association.close()
