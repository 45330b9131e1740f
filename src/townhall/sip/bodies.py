"""The bodies we understand, and the key presses in them."""

from townhall.sip.errors import SIPParseError
from townhall.sip.message import Message
from townhall.sip.multipart import session_description

SDP_TYPE = "application/sdp"
BODY_TYPES = (SDP_TYPE, "multipart/mixed", "multipart/alternative", "multipart/related")
INFO_TYPES = ("application/dtmf-relay", "application/dtmf")
_KEYS = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}


def description_or_none(message: Message) -> bytes | None:
    """The session description of an ACK or a response, for which there is no way to complain about
    nonsense.
    """
    try:
        return session_description(message)
    except SIPParseError:
        return None


def read_digit(message: Message) -> tuple[str, int]:
    """The key and the milliseconds of an INFO: `Signal=5`/`Duration=160`, or a body that is the key alone.

    Raises SIPParseError when there is no key in it.
    """
    fields: dict[str, str] = {}
    for line in message.body.decode("ascii", "replace").splitlines():
        name, equals, value = line.partition("=")
        if equals:
            fields.setdefault(name.strip().lower(), value.strip())
        elif name.strip():
            fields.setdefault("signal", name.strip())
    signal = fields.get("signal", "").upper()
    digit = _KEYS.get(signal, signal)
    if len(digit) != 1 or digit not in "0123456789*#ABCD":
        raise SIPParseError(f"an INFO with Signal=<key> was expected, not Signal={signal[:20]!r}")
    duration = fields.get("duration", "")
    return digit, min(int(duration), 60_000) if duration.isascii() and duration.isdigit() and len(
        duration
    ) < 9 else 160
