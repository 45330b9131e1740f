"""Several media engines that share their buses, on one virtual clock: `Rig`s with what control tells them."""

import os
from typing import Self

from tests.harness.media_rig import SETTLED_TICKS, Rig, RigPhone

from townhall.media.exchange import new_memory
from townhall.media.protocol import CloseLeg, SetMix
from townhall.media.spanning import Order, Spanning

ROWS = 16


class TwinRigs:
    """`with TwinRigs() as twins`: odd legs live in the second engine, even ones in the first."""

    def __init__(self, workers: int = 2) -> None:
        self._memory = new_memory(workers, ROWS)
        self.rigs = [
            Rig(workers=workers, worker=worker, memory=self._memory, memory_rows=ROWS)
            for worker in range(workers)
        ]
        self.spanning = Spanning(ROWS)

    def rig_of(self, leg: int) -> Rig:
        return self.rigs[leg % len(self.rigs)]

    def opened(self, leg: int) -> Rig:
        """A leg is about to be called in its engine."""
        self.spanning.opened(leg, leg % len(self.rigs))
        return self.rig_of(leg)

    def call(self, leg: int, level: int | None = None, **fields: object) -> RigPhone:
        """A connected phone, see `Rig.call`."""
        return self.opened(leg).call(leg, level, **fields)

    def mix(self, leg: int, bus: str | None, hears: bool = False, heard: bool = False, **fields: int) -> None:
        """`SetMix`, and all that follows from it."""
        self.obey(self.spanning.mix(SetMix(leg, bus, hears, heard, **fields)))

    def close_leg(self, leg: int) -> None:
        """`CloseLeg`, and all that follows from it."""
        self.rig_of(leg).handle(CloseLeg(leg))
        del self.rig_of(leg).phones[leg]
        self.obey(self.spanning.closed(leg))

    def obey(self, orders: list[Order]) -> None:
        for worker, command in orders:
            self.rigs[worker].handle(command)

    def tick(self, count: int = SETTLED_TICKS) -> None:
        """Steps of 20 ms, one engine after the other."""
        for _ in range(count):
            for rig in self.rigs:
                rig.tick()

    @property
    def phones(self) -> dict[int, RigPhone]:
        return {leg: phone for rig in self.rigs for leg, phone in rig.phones.items()}

    def hear(self) -> dict[int, int]:
        """The steady level that each phone hears."""
        self.tick()
        return {leg: phone.hears() for leg, phone in sorted(self.phones.items())}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for rig in self.rigs:
            rig.close()
        os.close(self._memory)
