"""The error numbers that a page understands (Twilio's 31xxx), and which SIP status becomes which.

Of 31001 to 31003, 311xx, 31404, 31480, 31486 and 31603 a page learns 31005 or 53000 with the number in
`error.originalError`, unless it sets `enableImprovedSignalingErrorPrecision`; that is the SDK's doing. The
other numbers arrive as they are, but for 31201 (the page sees 20151), 31204 (20101) and 31205 (20104).
"""

from __future__ import annotations

import re
from typing import Final

UNKNOWN_ERROR: Final = 31000
DECLINED: Final = 31002
TIMED_OUT: Final = 31003
CANCELLED: Final = 31008
MALFORMED: Final = 31100
TOKEN_MISSING: Final = 31102
PARAMETERS_TOO_LONG: Final = 31103
AUTHORIZATION: Final = 31201
INVALID_TOKEN: Final = 31204
TOKEN_EXPIRED: Final = 31205
RATE_EXCEEDED: Final = 31206
REATTACH_REFUSED: Final = 31209
BAD_REQUEST: Final = 31400
NOT_FOUND: Final = 31404
UNAVAILABLE: Final = 31480
BUSY: Final = 31486
DECLINED_BY_CALLEE: Final = 31603

_BY_STATUS: dict[int, tuple[int, str]] = {
    400: (BAD_REQUEST, "Bad request"),
    403: (DECLINED, "The call is not allowed"),
    404: (NOT_FOUND, "Not found"),
    408: (TIMED_OUT, "Timed out"),
    410: (NOT_FOUND, "Not found"),
    429: (RATE_EXCEEDED, "Too many calls"),
    480: (UNAVAILABLE, "Temporarily unavailable"),
    484: (NOT_FOUND, "Not found"),
    486: (BUSY, "Busy"),
    487: (CANCELLED, "Cancelled"),
    488: (BAD_REQUEST, "No audio codec in common"),
    503: (UNKNOWN_ERROR, "The server is overloaded; try again"),
    504: (TIMED_OUT, "Timed out"),
    600: (BUSY, "Busy everywhere"),
    603: (DECLINED_BY_CALLEE, "Declined"),
    604: (NOT_FOUND, "Not found"),
    606: (BAD_REQUEST, "No audio codec in common"),
}
_CLASSES: dict[int, tuple[int, str]] = {
    3: (DECLINED, "The call was sent elsewhere"),
    4: (DECLINED, "The call was declined"),
    5: (UNKNOWN_ERROR, "The server failed"),
    6: (DECLINED_BY_CALLEE, "Declined"),
}
_CAUSE = re.compile(r"SIP\s*;\s*cause\s*=\s*([3-6]\d\d)\b", re.IGNORECASE)
_TEXT = re.compile(r';\s*text\s*=\s*"([^"\\]{0,200})"', re.IGNORECASE)


def error_of(status: int, reason: str | None = None) -> dict[str, object]:
    """What a page is told of a call that ended with this SIP status (300 to 699)."""
    code, text = _BY_STATUS.get(status) or _CLASSES[status // 100]
    return {"code": code, "message": reason or text}


def error_in(reason_header: str | None) -> dict[str, object] | None:
    """The same of a Reason header (RFC 3326) such as `SIP;cause=503;text="Media lost"`; None: no error."""
    cause = _CAUSE.match(reason_header or "")
    if cause is None:
        return None
    text = _TEXT.search(reason_header or "")
    return error_of(int(cause[1]), text[1] if text is not None else None)
