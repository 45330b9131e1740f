"""What a SIP status makes of a call, and whether another way is worth trying."""

from typing import Literal

Outcome = Literal["busy", "no-answer", "canceled", "failed"]

_BUSY = (486, 600, 603)
_NO_ANSWER = (408, 480)


def outcome_of(status: int) -> Outcome:
    """The final status of a call that nobody answered (Twilio's words)."""
    if status in _BUSY:
        return "busy"
    if status in _NO_ANSWER:
        return "no-answer"
    return "canceled" if status == 487 else "failed"


def try_another_way(status: int, rang: bool) -> bool:
    """Whether a failure is the way's and not the callee's: the next trunk may do better.

    A callee that rang is there, and calling him again elsewhere would be a second call.
    """
    if rang:
        return False
    return status in (401, 403, 407, 408) or 500 <= status <= 599
