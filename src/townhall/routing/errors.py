"""Why a call is not even tried."""

from townhall.errors import TownhallError


class CallRefused(TownhallError):
    """A call that may not or cannot be placed: Twilio's number, and what to do about it.

    21211 `To` makes no sense, 21215 no trunk or country allows the number, 13225 the number is blocked
    (premium, emergency), 20429 too many calls a minute, 13224 nobody by that name, 10004 the server is full.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
