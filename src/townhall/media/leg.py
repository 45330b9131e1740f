"""Control's side of a leg and of a play: handles that send commands and are told of events."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from townhall.errors import TownhallError
from townhall.media.protocol import (
    Address,
    CloseLeg,
    Codec,
    Command,
    ConditionLeg,
    ConnectLeg,
    LegClosed,
    Play,
    PlayFinished,
    SecureLeg,
    SendDigits,
    SetMix,
    SetSilenceLimit,
    StopPlay,
)

Outcome = Literal["finished", "stopped", "failed"]


class MediaError(TownhallError):
    """The media process could not be started or is not running."""


class LegRefusedError(MediaError):
    """No leg now; `reason` says why. SIP answers 503."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"no leg: {reason}")
        self.reason = reason


class CommandPort(Protocol):
    """What a leg needs of the process it lives in."""

    def send(self, command: Command) -> None:
        """Queue a command; dropped when the process is gone."""

    def new_playback(self, leg: "Leg | None") -> "Playback":
        """A play with a number of its own, registered for its end."""


class Playback:
    """One run of clips or digits. Ends by itself, by `stop`, with its leg, or with the media process."""

    def __init__(self, port: CommandPort, number: int, leg: "Leg | None") -> None:
        self.number = number
        self.leg = leg
        self.outcome: Outcome | None = None
        self.detail = ""
        """What was wrong, when the outcome is `failed`."""
        self.on_end: Callable[[], None] = _nothing
        self._port = port
        self._over = asyncio.Event()

    async def finished(self) -> Outcome:
        """Wait for the end. Cancelling the waiter does not stop the play."""
        await self._over.wait()
        assert self.outcome is not None
        return self.outcome

    def stop(self) -> None:
        """Silence it at once; nothing when it is over."""
        if self.outcome is None:
            self._port.send(StopPlay(self.leg.number if self.leg else 0, self.number))

    def end(self, outcome: Outcome, detail: str = "") -> None:
        """Told by the client when the play is over; the first one counts."""
        if self.outcome is None:
            self.outcome, self.detail = outcome, detail
            self._over.set()
            self.on_end()


class Leg:
    """One call's media. The callbacks run in the event loop, one after the other; set the ones you need."""

    def __init__(
        self,
        port: CommandPort,
        number: int,
        host: str,
        rtp_port: int,
        rtcp_port: int,
        fingerprint: str = "",
    ) -> None:
        self.number = number
        self.host = host
        """The bind host; may be unspecified (`0.0.0.0`)."""
        self.rtp_port = rtp_port
        self.rtcp_port = rtcp_port
        self.fingerprint = fingerprint
        """Of the certificate of the process it lives in, as in `a=fingerprint`."""
        self.on_digit: Callable[[str], None] | None = None
        self.on_silent: Callable[[], None] | None = None
        self.on_speech: Callable[[bool], None] | None = None
        self.on_held: Callable[[Literal["music", "tone"] | None], None] | None = None
        """It sends hold music or a constant tone and is silenced; None: it is let through again."""
        self.on_lost: Callable[[str], None] | None = None
        """The media process died; the leg is gone. Says why."""
        self.on_secured: Callable[[], None] | None = None
        self.on_insecure: Callable[[str], None] | None = None
        self.on_left: Callable[[], None] | None = None
        """Of a secure leg: DTLS is through, or will never be, and why; the browser has closed its side."""
        self.closed = False
        self.figures: LegClosed | None = None
        self._port = port
        self._gone = asyncio.Event()

    def secure(
        self,
        *,
        local_ufrag: str,
        local_pwd: str,
        remote_ufrag: str,
        remote_pwd: str,
        fingerprint: str,
        role: Literal["client", "server"],
    ) -> None:
        """How a secure leg reaches its browser; again for an ICE restart. The fields are `SecureLeg`'s."""
        self._send(
            SecureLeg(self.number, local_ufrag, local_pwd, remote_ufrag, remote_pwd, fingerprint, role)
        )

    def connect(
        self,
        *,
        codec: Codec,
        payload_type: int,
        remote: Address | None,
        remote_rtcp: Address | None = None,
        rtcp_mux: bool = False,
        ptime_ms: int = 20,
        telephone_event: int | None = None,
        telephone_event_rate: int = 8000,
        send: bool = True,
        receive: bool = True,
        wanted: bool = True,
        max_bitrate: int | None = None,
        in_band_fec: bool = False,
    ) -> None:
        """Take in what offer and answer agreed on; again after each renegotiation. The fields are
        `ConnectLeg`'s.
        """
        self._send(
            ConnectLeg(
                self.number,
                codec=codec,
                payload_type=payload_type,
                remote=remote,
                remote_rtcp=remote_rtcp,
                rtcp_mux=rtcp_mux,
                ptime_ms=ptime_ms,
                telephone_event=telephone_event,
                telephone_event_rate=telephone_event_rate,
                send=send,
                receive=receive,
                wanted=wanted,
                max_bitrate=max_bitrate,
                in_band_fec=in_band_fec,
            )
        )

    def close(self) -> None:
        """Give the leg up; what it plays ends `stopped`. Idempotent."""
        if not self.closed:
            self._send(CloseLeg(self.number))
            self.closed = True

    async def wait_closed(self, timeout_s: float = 2.0) -> LegClosed | None:
        """The leg's last figures after `close`; None when the media process died or does not answer in
        time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._gone.wait()
        except TimeoutError:
            return None
        return self.figures

    def set_mix(
        self, bus: str | None, hears: bool = False, heard: bool = False, whisper_to: "Leg | None" = None
    ) -> None:
        """The leg's place in a bus, see `SetMix`."""
        self._send(SetMix(self.number, bus, hears, heard, whisper_to.number if whisper_to else None))

    def play(self, clips: Sequence[str], loops: int = 1) -> Playback:
        """Play clips, replacing what was playing; `loops=0` until stopped."""
        playback = self._port.new_playback(self)
        self._start(playback, Play(self.number, playback.number, [str(clip) for clip in clips], loops))
        return playback

    def send_digits(self, digits: str) -> Playback:
        """Press keys, see `SendDigits`."""
        playback = self._port.new_playback(self)
        self._start(playback, SendDigits(self.number, playback.number, digits))
        return playback

    def condition(
        self,
        *,
        auto_gain: bool | None = None,
        hold_guard: bool | None = None,
        noise_suppression: bool | None = None,
    ) -> None:
        """What is done to its voice, see `ConditionLeg`."""
        self._send(ConditionLeg(self.number, auto_gain, hold_guard, noise_suppression))

    def set_silence_limit(self, seconds: float) -> None:
        """Seconds without any packet until `on_silent`; 0 turns it off."""
        self._send(SetSilenceLimit(self.number, seconds))

    def end(self, figures: LegClosed | None) -> None:
        """Told by the client when the leg is gone."""
        self.closed = True
        self.figures = figures
        self._gone.set()

    def _start(self, playback: Playback, command: Command) -> None:
        if self.closed:
            playback.end("stopped", "the leg is closed")
        else:
            self._send(command)

    def _send(self, command: Command) -> None:
        if not self.closed:
            self._port.send(command)


def _nothing() -> None:
    """Nobody is to be told."""


def finish(playbacks: dict[int, Playback], event: PlayFinished) -> None:
    """End the playback an event is about."""
    playback = playbacks.pop(event.play, None)
    if playback is not None:
        playback.end(event.outcome, event.detail)
