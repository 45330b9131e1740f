"""The digest itself (RFC 7616 section 3.4.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

ALGORITHMS = ("SHA-256", "SHA-256-sess", "MD5", "MD5-sess")
"""The strongest first."""


def canonical_algorithm(name: str) -> str | None:
    """The spelling in `ALGORITHMS`, or None for one we do not have."""
    return next((algorithm for algorithm in ALGORITHMS if algorithm.lower() == name.lower()), None)


def _sha256(text: str) -> str:
    return hashlib.sha256(_encode(text)).hexdigest()


def _md5(text: str) -> str:
    return hashlib.md5(_encode(text), usedforsecurity=False).hexdigest()


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def digest_response(
    *,
    algorithm: str,
    username: str,
    realm: str,
    password: str,
    nonce: str,
    method: str,
    uri: str,
    qop: str | None = None,
    nc: int = 0,
    cnonce: str | None = None,
    body: bytes = b"",
) -> str:
    """The response in hexadecimal; `algorithm` is one of `ALGORITHMS`."""
    hash_text: Callable[[str], str] = _sha256 if algorithm.startswith("SHA-256") else _md5
    secret = hash_text(f"{username}:{realm}:{password}")
    if algorithm.endswith("-sess"):
        secret = hash_text(f"{secret}:{nonce}:{cnonce or ''}")
    request = f"{method}:{uri}"
    if qop == "auth-int":
        digest = hashlib.sha256(body) if hash_text is _sha256 else hashlib.md5(body, usedforsecurity=False)
        request += f":{digest.hexdigest()}"
    if qop is None:
        return hash_text(f"{secret}:{nonce}:{hash_text(request)}")
    return hash_text(f"{secret}:{nonce}:{nc:08x}:{cnonce or ''}:{qop}:{hash_text(request)}")
