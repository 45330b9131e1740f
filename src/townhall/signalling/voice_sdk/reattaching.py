"""The `reconnect` tokens that a page shows to get at its call again from another socket.

A token is a signature over the call's SID and the identity, with a key that lives as long as the process,
as the calls do. So one page's token is of no use for another's call.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets


class ReconnectTokens:
    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def issue(self, call_sid: str, identity: str) -> str:
        text = f"{len(call_sid)}:{call_sid}{identity}".encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._key, text, hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def fits(self, token: str, call_sid: str, identity: str) -> bool:
        given = token.encode("utf-8", "surrogatepass")
        return hmac.compare_digest(given, self.issue(call_sid, identity).encode())
