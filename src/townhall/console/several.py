"""The same for many people: some at a time, and what fails for one does not keep it from the others."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from townhall.console.refusals import Refusal

AT_ONCE = 16

Failures = list[dict[str, str]]


async def some_at_a_time(call_sids: Sequence[str], work: Callable[[str], Awaitable[None]]) -> Failures:
    """Do it for each; returns for whom it failed, and raises the first `Refusal` when it did for all."""
    turns = asyncio.Semaphore(AT_ONCE)
    refusals: dict[str, Refusal] = {}

    async def one(call_sid: str) -> None:
        async with turns:
            try:
                await work(call_sid)
            except Refusal as refusal:
                refusals[call_sid] = refusal

    await asyncio.gather(*(one(call_sid) for call_sid in call_sids))
    if refusals and len(refusals) == len(call_sids):
        raise next(iter(refusals.values()))
    return [{"call_sid": sid, "message": refusal.message} for sid, refusal in refusals.items()]
