"""One call from the command line, told in lines that a person can read: `townhall call`.

A press sequence is a list of keys with pauses: `1`, `w` (half a second), `W` (a second), `@3` (until three
seconds after the answer). Keys are pressed once something has been heard, so that a menu is there to hear
them.
"""

import asyncio
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from townhall.phone.call import PhoneCall, describe, read_audio
from townhall.phone.hearing import RATE
from townhall.phone.listening import is_silence
from townhall.phone.phone import Phone
from townhall.phone.settings import PhoneError, PhoneSettings, PressHow
from townhall.phone.voice import EVENTS
from townhall.signalling import InviteFailed, SessionEnded

Tell = Callable[[str], None]
_STEP = re.compile(rf"[{re.escape(EVENTS)}]|w|W|@\d+(?:\.\d+)?")
_READOUT_S = 0.5


@dataclass(frozen=True, slots=True)
class Outing:
    """What is to happen in the call."""

    target: str
    settings: PhoneSettings = field(default_factory=PhoneSettings)
    press: str = ""
    press_how: PressHow | None = None
    play: Path | None = None
    record: Path | None = None
    seconds: float | None = None
    """Hang up after so long; None: stay until the other side hangs up (or Ctrl-C)."""

    def __post_init__(self) -> None:
        steps_of(self.press)


def steps_of(sequence: str) -> list[str]:
    """A press sequence taken apart; spaces, commas and hyphens are for the eye. Raises `PhoneError`."""
    parts = re.split(r"[\s,\-]+", sequence)
    steps = [step for part in parts for step in _STEP.findall(part)]
    if "".join(steps) != "".join(parts):
        raise PhoneError(f"--press {sequence!r}: expected keys ({EVENTS}), w (0.5 s), W (1 s) or @SECONDS")
    return steps


async def go_out(outing: Outing, tell: Tell, readout: Callable[[PhoneCall], None] = lambda call: None) -> int:
    """Make the call and tell how it goes; returns an exit status: 0 answered, 1 not answered, 2 something is
    wrong.

    `readout` is called twice a second while the call lasts (a level meter). Cancelling hangs up.
    """
    if outing.play is not None:
        read_audio(outing.play)
    if outing.record is not None:
        _check_writable(outing.record)
    tell(f"calling {outing.target} over {outing.settings.transport.upper()}")
    began = time.monotonic()
    async with Phone(outing.settings) as phone:
        try:
            call = await phone.call(
                outing.target,
                on_provisional=lambda status, reason: tell(f"{status} {reason}") if status > 100 else None,
            )
        except InviteFailed as error:
            tell(f"not answered: {error.status} {error.reason}")
            return 1
        tell(f"answered after {(time.monotonic() - began) * 1000:.0f} ms: {_agreed(call)}")
        try:
            await _stay(call, outing, tell, readout)
        finally:
            _sum_up(call, outing, tell)
    return 0


def _check_writable(file: Path) -> None:
    """A recording that can't be kept is better known before the call than after it."""
    where = file if file.exists() else file.parent
    if file.is_dir() or not file.parent.is_dir() or not os.access(where, os.W_OK):
        raise PhoneError(f"{file} cannot be written: --record needs a file in a folder that is there")


async def _stay(call: PhoneCall, outing: Outing, tell: Tell, readout: Callable[[PhoneCall], None]) -> None:
    acting = asyncio.create_task(_act(call, outing, tell))
    reading = asyncio.create_task(_read_out(call, tell, readout))
    try:
        async with asyncio.timeout(outing.seconds):
            ended = await call.session.wait_ended()
        tell(_told(ended))
    except TimeoutError:
        tell(f"hanging up after {outing.seconds:g} s")
        await call.hang_up()
    except asyncio.CancelledError:
        tell("hanging up")
        await call.hang_up()
        raise
    finally:
        for task in (acting, reading):
            task.cancel()
        await asyncio.gather(acting, reading, return_exceptions=True)


async def _act(call: PhoneCall, outing: Outing, tell: Tell) -> None:
    """Press the keys, then play the file."""
    answered = time.monotonic()
    try:
        steps = steps_of(outing.press)
        if steps:
            await call.hears("sound", within_s=15.0, since=0)
        for step in steps:
            if step.startswith("@"):
                await asyncio.sleep(max(0.0, answered + float(step[1:]) - time.monotonic()))
            elif step in "wW":
                await asyncio.sleep(0.5 if step == "w" else 1.0)
            else:
                await call.press(step, outing.press_how)
                tell(f"pressed {step}")
        if outing.play is not None:
            tell(f"playing {outing.play}")
            await call.say_file(outing.play)
            tell(f"played {outing.play}")
    except PhoneError as error:
        tell(str(error))


async def _read_out(call: PhoneCall, tell: Tell, readout: Callable[[PhoneCall], None]) -> None:
    """Tell when sound begins and stops; let the meter be drawn."""
    silent = True
    while True:
        samples = await call.listen(_READOUT_S)
        readout(call)
        if is_silence(samples) != silent:
            silent = not silent
            tell(f"{call.mark() / RATE:6.1f} s  hearing {describe(samples)}")


def _agreed(call: PhoneCall) -> str:
    keys = "RFC 4733" if call.agreement.telephone_event is not None else "tones"
    return f"{call.agreement.codec}, {call.settings.ptime_ms} ms packets, keys as {keys}"


def _told(ended: SessionEnded) -> str:
    because = f"{ended.status or ''} {_words_of(ended.reason or '')}".strip()
    because = because and f": {because}"
    return {"bye": f"the other side hung up{because}", "local": "hung up"}.get(
        ended.cause, f"the call ended by {ended.cause}{because}"
    )


def _words_of(reason: str) -> str:
    """What a Reason header (RFC 3326) says to a person; any other text as it is."""
    number, text = re.search(r"\bcause=(\d+)", reason), re.search(r'\btext="([^"]*)"', reason)
    return " ".join(found[1] for found in (number, text) if found) or reason


def _sum_up(call: PhoneCall, outing: Outing, tell: Tell) -> None:
    tell(f"sent {call.packets_sent} packets; received {call.report}")
    if outing.record is not None:
        call.save(outing.record)
        tell(f"recorded {len(call.received) / RATE:.1f} s to {outing.record}")
