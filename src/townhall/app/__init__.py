"""The conference application: a menu, three roles, PINs. It answers Twilio's webhooks with TwiML and is
nothing more.

It stands on the other side of the seam: it imports nothing of the engine and knows only Twilio's published
API, so it runs unchanged mounted in Townhall's own process or on any host as the webhook of a Twilio number.
Documents: the voice URL is `menu`; it redirects to `role/listener`, `role/speaker` or `role/moderator`, which
dial the line's conference; `left` thanks whoever comes out. Between two requests it remembers nothing but
wrong PINs.

Whoever wants to know who calls in which role (the console) is told through `Attendance`, and of conferences
by their status callbacks.

It leaves out: hands raised, muting from the keypad, the console itself; where lines are kept (`LineBook`).
"""

from townhall.app.application import create_app
from townhall.app.attendance import Attendance
from townhall.app.guessing import Guess, GuessGuard, PinGuard, Verdict
from townhall.app.lines import Line, LineBook
from townhall.app.texts import spoken_texts

__all__ = [
    "Attendance",
    "Guess",
    "GuessGuard",
    "Line",
    "LineBook",
    "PinGuard",
    "Verdict",
    "create_app",
    "spoken_texts",
]
