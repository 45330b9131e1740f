"""The errors of the SIP room.

TownhallError
└── SIPError             we were asked to write something that is not SIP
    └── SIPParseError    a peer sent something that is not SIP; carries the status to answer with
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from townhall.errors import TownhallError

if TYPE_CHECKING:
    from townhall.sip.message import Request


class SIPError(TownhallError):
    """Something on our side asked for a message that SIP cannot carry."""


class SIPParseError(SIPError):
    """A message, or a part of one, that cannot be understood.

    `status_hint` is the response status that fits (400, 413, 505, 513 …). `request` is what could be read of
    a broken request, enough to copy Via, From, To, Call-ID and CSeq from; None for responses and for noise.
    """

    def __init__(self, message: str, status_hint: int = 400, request: Request | None = None) -> None:
        super().__init__(message)
        self.status_hint = status_hint
        self.request = request
