"""One DTLS association: handshake over a path that ICE has verified, the peer's certificate checked against
the fingerprint of its SDP, and the keys for SRTP (RFC 6347, RFC 8827 section 6.5, RFC 5764).

Does no I/O: datagrams go in by `receive`, and what is to be sent comes out of `receive`, `start` and
`look`. OpenSSL keeps the retransmission timer by the system's clock.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

from cryptography.x509 import Certificate as X509
from OpenSSL import SSL, crypto

from townhall.errors import TownhallError
from townhall.media.secure.certificate import Certificate

Role = Literal["client", "server"]
State = Literal["new", "handshake", "secured", "closed"]

MTU = 1200
"""Bytes of UDP payload that pass any path in use (as browsers have it)."""

PROFILES: dict[bytes, tuple[int, int]] = {
    b"SRTP_AEAD_AES_128_GCM": (16, 12),
    b"SRTP_AES128_CM_SHA1_80": (16, 14),
}
"""SRTP protection profiles (RFC 5764 section 4.1.2, RFC 7714 section 14.2), the better one first: bytes of
master key and salt.
"""

_DTLS_1_2 = 0xFEFD
_RELEASE_BUFFERS = 0x10
"""SSL_MODE_RELEASE_BUFFERS: an association lives as long as its call and says next to nothing after the
handshake.
"""
_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
_LABEL = b"EXTRACTOR-dtls_srtp"
_RECORD_HEADER = 13
_READ_BYTES = 1 << 16
_FINGERPRINT = re.compile(r"sha-(256|384|512) ((?:[0-9A-F]{2}:)+[0-9A-F]{2})", re.IGNORECASE)


class DtlsError(TownhallError):
    """The association will never be secure; the message is for people."""


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Master key and salt of each direction."""

    profile: bytes
    """A key of `PROFILES`."""
    outbound: bytes = field(repr=False)
    inbound: bytes = field(repr=False)


def make_context(certificate: Certificate) -> SSL.Context:
    """What all associations share."""
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_min_proto_version(_DTLS_1_2)
    context.set_options(
        SSL.OP_NO_QUERY_MTU | SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE
    )
    context.set_mode(_RELEASE_BUFFERS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_cipher_list(_CIPHERS)
    context.use_privatekey(certificate.key)
    context.use_certificate(certificate.certificate)
    context.set_tlsext_use_srtp(b":".join(PROFILES))
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _is_the_one)
    return context


def _is_the_one(connection: SSL.Connection, found: crypto.X509, error: int, depth: int, fine: int) -> bool:
    """Whether the peer's own certificate has the fingerprint; who signed it does not matter."""
    fingerprint: Fingerprint = connection.get_app_data()
    return depth > 0 or fingerprint.fits(found)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A hash of SHA-2 and what it makes of the peer's certificate: `AB:CD:…`, upper case."""

    hash: str
    digest: bytes

    def fits(self, certificate: crypto.X509) -> bool:
        """Whether it is this certificate's."""
        return certificate.digest(self.hash) == self.digest


def read_fingerprint(text: str) -> Fingerprint:
    """`sha-256 AB:CD:…` as in `a=fingerprint` (RFC 8122 section 5). Raises `DtlsError`."""
    found = _FINGERPRINT.fullmatch(text.strip())
    if found is None or 8 * len(found[2].split(":")) != int(found[1]):
        raise DtlsError(
            f"fingerprint {text[:100]!r} is not sha-256, sha-384 or sha-512 with its bytes in hexadecimal"
        )
    return Fingerprint(f"sha{found[1]}", found[2].upper().encode())


class Association:
    """See the module. `state` says how far it is; `keys` are there once it is `secured`."""

    def __init__(self, context: SSL.Context, role: Role, fingerprint: str) -> None:
        """Raises `DtlsError` for a fingerprint that is none."""
        self.role = role
        self.fingerprint = read_fingerprint(fingerprint)
        self.state: State = "new"
        self.keys: SrtpKeys | None = None
        self._connection = SSL.Connection(context, None)
        self._connection.set_app_data(self.fingerprint)
        self._connection.set_ciphertext_mtu(MTU)
        if role == "client":
            self._connection.set_connect_state()
        else:
            self._connection.set_accept_state()

    def start(self) -> list[bytes]:
        """Begin: a client's first flight. Nothing when it has begun."""
        return self._handshake() if self.state == "new" else []

    def receive(self, datagram: bytes) -> list[bytes]:
        """Take in one datagram; what is to be sent. Raises `DtlsError` when the handshake has failed: the
        alert that says so to the peer is then in `parting`.
        """
        if self.state == "closed" or not datagram:
            return []
        self._connection.bio_write(datagram)
        if self.state != "secured":
            return self._handshake()
        try:
            while True:
                self._connection.recv(_READ_BYTES)  # nobody agreed on application data: dropped
        except SSL.WantReadError:
            pass
        except (SSL.ZeroReturnError, SSL.SysCallError, SSL.Error):
            self.state = "closed"
        return self._flight()

    def look(self) -> list[bytes]:
        """A flight once more, when it is time. Raises `DtlsError` when OpenSSL has given up."""
        if self.state != "handshake" or self._connection.DTLSv1_get_timeout() != 0:
            return []
        try:
            self._connection.DTLSv1_handle_timeout()
        except SSL.Error:
            self.state = "closed"
            raise DtlsError("the browser did not go on with the DTLS handshake") from None
        return self._flight()

    def close(self) -> list[bytes]:
        """The alert that says goodbye, if there is somebody to say it to."""
        if self.state != "secured":
            return []
        self.state = "closed"
        try:
            self._connection.shutdown()
        except SSL.Error:
            return []
        return self._flight()

    def parting(self) -> list[bytes]:
        """What OpenSSL had left to say when it failed."""
        return self._flight()

    def _handshake(self) -> list[bytes]:
        self.state = "handshake"
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return self._flight()
        except SSL.Error as error:
            self.state = "closed"
            raise DtlsError(f"the DTLS handshake failed: {self._reason(error)}") from None
        self.keys = self._extract()
        self.state = "secured"
        return self._flight()

    def _reason(self, error: SSL.Error) -> str:
        """OpenSSL's words, but for the case that matters most."""
        found = self._connection.get_peer_certificate(as_cryptography=True)
        told = error.args[0] if error.args and isinstance(error.args[0], list) else []
        reasons = [str(part[-1]) for part in told if part]
        if found is not None and not self._fits(found):
            return "the browser's certificate has not the fingerprint of its SDP"
        if "certificate verify failed" in reasons:
            return "the browser's certificate has not the fingerprint of its SDP"
        return "; ".join(reasons) or "OpenSSL ended it without a reason"

    def _extract(self) -> SrtpKeys:
        """The keys (RFC 5764 section 4.2). Raises `DtlsError`."""
        found = self._connection.get_peer_certificate(as_cryptography=True)
        profile = self._connection.get_selected_srtp_profile()
        if found is None or not self._fits(found) or profile not in PROFILES:
            self.state = "closed"
            raise DtlsError("the DTLS handshake agreed on no SRTP profile of ours")
        key, salt = PROFILES[profile]
        block = self._connection.export_keying_material(_LABEL, 2 * (key + salt))
        salts = block[2 * key :]
        client, server = block[:key] + salts[:salt], block[key : 2 * key] + salts[salt:]
        ours, theirs = (client, server) if self.role == "client" else (server, client)
        return SrtpKeys(profile, ours, theirs)

    def _fits(self, found: X509) -> bool:
        return self.fingerprint.fits(crypto.X509.from_cryptography(found))

    def _flight(self) -> list[bytes]:
        """What OpenSSL has written, cut into datagrams: its memory has forgotten where they ended."""
        try:
            written = self._connection.bio_read(_READ_BYTES)
        except SSL.WantReadError:
            return []
        return packed(written)


def packed(records: bytes) -> list[bytes]:
    """Whole DTLS records in as few datagrams of at most `MTU` bytes as possible."""
    datagrams: list[bytes] = []
    begin = at = 0
    while at + _RECORD_HEADER <= len(records):
        end = at + _RECORD_HEADER + int.from_bytes(records[at + 11 : at + 13], "big")
        if end - begin > MTU and at > begin:
            datagrams.append(records[begin:at])
            begin = at
        at = end
    return [*datagrams, records[begin:]]
