"""What went wrong with a request, as Twilio's error numbers (11200 to 11237) and words for the operator."""

import socket
import ssl
from collections.abc import Iterator
from typing import Literal

import httpcore2

from townhall.twiml.control import FetchFailed
from townhall.webhooks.consent import AddressRefusedError

Policy = Literal["ct", "rt", "4xx", "5xx"]

_CERTIFICATE_CODES = {10: 11236, 62: 11235, 64: 11235}
"""OpenSSL's verify codes: expired; host name and address mismatch. All others are the chain (11237)."""


class RequestFailed(FetchFailed):
    """A try that failed; `policy` is the retry policy under which it may be repeated, if any."""

    def __init__(
        self,
        code: int,
        url: str,
        message: str,
        policy: Policy | None = None,
        *,
        status: int | None = None,
        refused: bool = False,
    ) -> None:
        super().__init__(code, url, message)
        self.policy = policy
        self.status = status
        """What the server answered, if it did."""
        self.refused = refused
        """Whether it was us who would not connect."""
        self.headers: tuple[tuple[str, str], ...] = ()
        self.body = b""
        """What came with a bad status, as far as it was read."""


def status_failure(status: int, url: str) -> RequestFailed:
    """A final status that is no success."""
    message = f"the server answered with status {status}, expected 200"
    if 400 <= status < 600:
        return RequestFailed(11217, url, message, "4xx" if status < 500 else "5xx", status=status)
    return RequestFailed(11200, url, message, status=status)


def is_in_vain(failure: FetchFailed) -> bool:
    """Whether a further try would only repeat the failure: the URL or the request is at fault."""
    if failure.code in _LASTING:
        return True
    if not isinstance(failure, RequestFailed):
        return False
    status = failure.status
    return failure.refused or (status is not None and 400 <= status < 500 and status not in _MAY_PASS)


def is_unreachable(failure: FetchFailed) -> bool:
    """Whether the server was not there, so that nobody else need knock at its door either."""
    return failure.code in _NOBODY_THERE


def is_silent(failure: FetchFailed) -> bool:
    """Whether the server took the request and did not answer in time."""
    return failure.code == 11203


_LASTING = frozenset({11100, 11215, 11216, 11243})
"""Bad URLs, endless or bad redirects, bad overrides."""
_MAY_PASS = frozenset({408, 425, 429})
_NOBODY_THERE = frozenset({11201, 11202, 11205, 11210, 11220, 11235, 11236, 11237})
"""No connection: not in time, refused, broken, unknown host, no TLS. A silent server is there."""


def failure_from(error: Exception, url: str) -> RequestFailed:
    """The failure that an exception of the transport stands for."""
    if isinstance(error, AddressRefusedError):
        return RequestFailed(11200, url, str(error), refused=True)
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            code = _CERTIFICATE_CODES.get(cause.verify_code, 11237)
            return RequestFailed(code, url, f"the server's certificate is not valid: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError):
            return RequestFailed(11220, url, f"the TLS handshake failed: {cause.reason or cause}")
        if isinstance(cause, socket.gaierror):
            return RequestFailed(11210, url, "the host is unknown", "ct")
        if isinstance(cause, ConnectionRefusedError):
            return RequestFailed(11202, url, "the server refused the connection", "ct")
    return _plain_failure(error, url)


def _plain_failure(error: Exception, url: str) -> RequestFailed:
    if isinstance(error, httpcore2.ConnectTimeout):
        return RequestFailed(11201, url, "no TCP connection in time", "ct")
    if isinstance(error, httpcore2.ConnectError | OSError):
        return RequestFailed(11205, url, f"the connection failed: {error}", "ct")
    if isinstance(error, httpcore2.PoolTimeout):
        return RequestFailed(11200, url, "too many requests are under way")
    if isinstance(error, httpcore2.TimeoutException):
        return RequestFailed(11203, url, "the server did not answer in time", "rt")
    if isinstance(error, httpcore2.NetworkError) or "disconnected without" in str(error):
        return RequestFailed(11205, url, "the connection broke before the answer was complete")
    return RequestFailed(11206, url, f"the answer is not HTTP: {error}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    stack: list[BaseException | None] = [error]
    while stack:
        found = stack.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        stack += [found.__cause__, found.__context__]
