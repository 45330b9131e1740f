"""What control asks of media, be it one process (`client`) or several (`pool`)."""

from collections.abc import Callable, Sequence
from typing import Protocol

from townhall.media.leg import Leg, Playback
from townhall.media.protocol import Address, Levels, StartRecorder, Stats
from townhall.media.recording import Recorder
from townhall.media.settings import MediaSettings


class Media(Protocol):
    """Legs, what is played to them and to buses, recorders, figures."""

    settings: MediaSettings
    ports: list[int]
    """The RTP ports, known after `start`."""
    stats: Stats | None
    """The last second's figures."""
    on_stats: Callable[[Stats], None] | None
    on_levels: Callable[[Levels], None] | None
    """Told of the levels of the buses that are watched."""
    fingerprint: str
    """Of the certificate, as in `a=fingerprint`; known after `start`. An open leg has its own process's."""
    opus: bool
    """Whether Opus may be offered and accepted; known after `start`."""

    async def start(self) -> None:
        """Start and wait until legs are taken. Raises `MediaError`."""

    async def stop(self) -> None:
        """End; legs that are still open are lost. Idempotent."""

    async def open_leg(
        self,
        remote: Address | None = None,
        may_latch: bool = True,
        ip_version: int = 4,
        host: str | None = None,
        latch_from: str | None = None,
        secure: bool = False,
    ) -> Leg:
        """Reserve a port for a leg; the fields are `OpenLeg`'s. Raises `LegRefusedError`."""

    def play_to_bus(self, bus: str, clips: Sequence[str], owner: Leg | None = None) -> Playback:
        """Mix clips once into a bus; `owner` does not hear it."""

    def watch_levels(self, bus: str, on: bool) -> None:
        """Have `on_levels` told of a bus's talkers, or no more."""

    def start_recorder(self, command: StartRecorder) -> Recorder:
        """Record from the next tick on; `command.recorder` is filled in."""
