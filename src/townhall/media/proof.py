"""Whether anybody wants what a leg sends: an SDP can name the address of a third party, who never asked.

A leg's packets are wanted where the peer's SIP messages come from, and where a packet of its own has come
from. Anywhere else it gets ten seconds of them in all its life, however often its address changes; then
sending waits for such a packet. So a caller cannot turn a few messages into an endless stream at somebody
else's expense, and a phone behind NAT, or a gateway beside its proxy, notices nothing.
"""

import numpy as np

from townhall.media.legs import Legs
from townhall.media.shapes import TICK_S, Slots

UNWANTED_S = 10.0


class Proof:
    """Keeps `wanted`, `unwanted_ticks` and `withheld` of all legs."""

    def __init__(self, legs: Legs) -> None:
        self._legs = legs

    def agree(self, slot: int, wanted: bool, moved: bool) -> None:
        """An offer or answer was agreed on; `moved`: it named another address than the one before."""
        self._legs.wanted[slot] = wanted or (self._legs.wanted[slot] and not moved)

    def look(self, ticks: int) -> bool:
        """Count `ticks` more of unwanted sending; True when a leg began or ceased to be withheld."""
        legs = self._legs
        lacking = legs.connected & legs.sends & legs.has_remote & ~legs.wanted
        legs.unwanted_ticks[lacking] += ticks
        withheld = lacking & (legs.unwanted_ticks * TICK_S >= UNWANTED_S)
        changed = withheld != legs.withheld
        if not changed.any():
            return False
        legs.marker[changed & ~withheld] = True
        legs.withheld[:] = withheld
        return True


def prove(legs: Legs, slots: Slots) -> None:
    """Packets have come from where these legs' go."""
    legs.wanted[np.asarray(slots)] = True
