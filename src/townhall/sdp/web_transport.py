"""What a WebRTC medium says of its transport: ICE credentials, the certificate's fingerprint, the DTLS role.

RFC 8839 sections 5.3 and 5.4 (ice-lite, ice-ufrag, ice-pwd), RFC 8122 section 5 (fingerprint), RFC 8842 with
RFC 4145 section 4 (setup). Attributes may stand with the medium or with the session. Left out: the peer's
candidates (it checks us, we learn its addresses from the checks), SDES, identity assertions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from townhall.sdp.description import MediaDescription, SessionDescription
from townhall.sdp.errors import NothingFits

DTLSRole = Literal["client", "server"]

_ICE_CHARACTERS = r"[A-Za-z0-9+/]"
_UFRAG = re.compile(_ICE_CHARACTERS + r"{4,256}")
_PWD = re.compile(_ICE_CHARACTERS + r"{22,256}")
_HASH_LENGTHS = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_MOST_FINGERPRINTS = 16
_OUR_ROLE: dict[str, DTLSRole] = {"actpass": "server", "active": "server", "passive": "client"}


@dataclass(frozen=True, slots=True)
class IceCredentials:
    """The user name fragment and the password of one side (RFC 8445 section 5.3)."""

    ufrag: str
    pwd: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebTransport:
    """The peer's side of the transport; `role` is ours in DTLS."""

    ice: IceCredentials
    fingerprint: str
    """`sha-256 AB:CD:…`, the hash's name in lower case, the bytes in upper case."""
    role: DTLSRole


def web_transport_of(description: SessionDescription, media: MediaDescription) -> WebTransport:
    """What this medium says of its transport; raises `NothingFits` unless it is as browsers make it."""
    if media.attribute("rtcp-mux") is None:
        raise NothingFits("a=rtcp-mux was expected: RTP and RTCP share one port here")
    if description.attribute("ice-lite") is not None:
        raise NothingFits("the peer is ICE-lite as we are, so nobody would check the connection")
    return WebTransport(
        ice=_credentials_of(description, media),
        fingerprint=_fingerprint_of(description, media),
        role=_our_role(_attribute(description, media, "setup")),
    )


def _attribute(description: SessionDescription, media: MediaDescription, name: str) -> str | None:
    own = media.attribute(name)
    return own if own is not None else description.attribute(name)


def _credentials_of(description: SessionDescription, media: MediaDescription) -> IceCredentials:
    ufrag = _attribute(description, media, "ice-ufrag")
    pwd = _attribute(description, media, "ice-pwd")
    if ufrag is None or pwd is None:
        raise NothingFits("ICE was expected: a=ice-ufrag and a=ice-pwd")
    if _UFRAG.fullmatch(ufrag) is None or _PWD.fullmatch(pwd) is None:
        raise NothingFits("a=ice-ufrag has 4 to 256 letters, digits, + or /, and a=ice-pwd 22 to 256")
    return IceCredentials(ufrag, pwd)


def _fingerprint_of(description: SessionDescription, media: MediaDescription) -> str:
    """The first SHA-256 fingerprint, or else the first of a longer hash of that family.

    All of them are of the one certificate (RFC 8122 section 5), so one is enough to check.
    """
    lines = media.attributes("fingerprint") or description.attributes("fingerprint")
    found: dict[str, str] = {}
    for line in lines[:_MOST_FINGERPRINTS]:
        name, _, digest = line.partition(" ")
        length = _HASH_LENGTHS.get(name.lower())
        if length is not None and re.fullmatch(
            rf"[0-9A-Fa-f]{{2}}(:[0-9A-Fa-f]{{2}}){{{length - 1}}}", digest
        ):
            found.setdefault(name.lower(), digest.upper())
    for name in _HASH_LENGTHS:
        if name in found:
            return f"{name} {found[name]}"
    raise NothingFits("a=fingerprint was expected, with sha-256, sha-384 or sha-512")


def _our_role(setup: str | None) -> DTLSRole:
    """Ours, given the peer's a=setup; without one it is active (RFC 4145 section 4)."""
    role = _OUR_ROLE.get((setup or "active").lower())
    if role is None:
        raise NothingFits(f"a=setup:actpass, active or passive was expected, not {setup!r:.40}")
    return role
