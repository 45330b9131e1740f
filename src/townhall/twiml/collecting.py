"""Keys collected while prompts play: the clockwork of `<Gather>`.

The first key stops the prompt at once and counts. The clock starts when the prompts have ended or at the
first key, and each key restarts it. It ends with the wanted number of keys, with the finishing key (not part
of the digits), or when the clock has run out.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from townhall.twiml.control import CallControl
from townhall.twiml.limits import GATHERED_DIGITS


@dataclass(frozen=True, slots=True)
class Collected:
    digits: str
    finished_on_key: str
    """The key that ended it, or empty."""


async def collect_digits(
    control: CallControl,
    prompts: Coroutine[Any, Any, None],
    timeout_s: float,
    num_digits: int | None,
    finish_on_key: str,
) -> Collected:
    """Play the prompts and collect keys. Raises what `control` raises; leaves no task behind."""
    digits = ""
    most = min(num_digits or GATHERED_DIGITS, GATHERED_DIGITS)
    key = await _first_key(control, prompts, timeout_s)
    while key is not None:
        if finish_on_key and key == finish_on_key:
            return Collected(digits, key)
        digits += key
        if len(digits) >= most:
            break
        key = await control.read_digit(timeout_s)
    return Collected(digits, "")


async def _first_key(
    control: CallControl, prompts: Coroutine[Any, Any, None], timeout_s: float
) -> str | None:
    """The first key, pressed during the prompts or up to `timeout_s` seconds after them; the prompts have
    stopped.
    """
    prompting = asyncio.create_task(prompts)
    reading = asyncio.create_task(control.read_digit(None))
    try:
        await asyncio.wait((prompting, reading), return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            prompting.result()
            await asyncio.wait((reading,), timeout=timeout_s)
        return reading.result() if reading.done() else None
    finally:
        await _stop(prompting, reading)


async def _stop(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
