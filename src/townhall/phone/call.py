"""One call of a phone: what it says and presses, what it hears, and how it ends."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np

from townhall.audio import AudioError, decode, write_wav
from townhall.phone.hearing import RATE, Hearing, ReceptionReport, Samples
from townhall.phone.listening import WINDOW, Judge, Sound, is_silence, judge_of, rms
from townhall.phone.media import RTPSocket
from townhall.phone.negotiation import PhoneAudio
from townhall.phone.settings import PhoneError, PhoneSettings, PressHow
from townhall.phone.voice import EVENTS, Voice
from townhall.sdp import AudioAgreement, Direction
from townhall.signalling import Session, SessionEnded

Encode = Callable[[str, Samples], bytes]
"""Codec and samples at 8 kHz to a payload."""


class NotHeard(PhoneError):
    """What a phone waited to hear did not come in time."""


class PhoneCall:
    """A call with sound: answered, or with early media. Made by `Phone.call` and `IncomingCall`; driven by
    the phone's clock through `tick`.
    """

    def __init__(
        self,
        settings: PhoneSettings,
        session: Session,
        audio: PhoneAudio,
        socket: RTPSocket,
        hearing: Hearing,
        encode: Encode,
    ) -> None:
        self.settings = settings
        self.session = session
        self._audio = audio
        self.hearing = hearing
        self._socket = socket
        self._encode = encode
        self._voice = Voice(RATE * settings.ptime_ms // 1000)
        self._changed = asyncio.Event()
        self.packets_sent = 0
        session.on_offer = audio.renegotiate
        if settings.tone_hz is not None:
            self._voice.say_tone(settings.tone_hz)

    @property
    def agreement(self) -> AudioAgreement:
        """What offer and answer agreed on last."""
        assert self._audio.agreement is not None, "a call is answered before it is a PhoneCall"
        return self._audio.agreement

    # ---- saying --------------------------------------------------------------------------------------------

    def say_tone(self, hz: float) -> None:
        self._voice.say_tone(hz)

    def say_nothing(self) -> None:
        self._voice.say_nothing()

    def say_samples(self, samples: Samples) -> None:
        """Say samples at 8 kHz, shape (samples,), once; then silence."""
        self._voice.say_samples(samples)

    async def say_file(self, path: Path) -> None:
        """Say an audio file to its end; raises `PhoneError` when it can't be read."""
        self.say_samples(await asyncio.to_thread(read_audio, path))
        while self._voice.playing and not self.is_over:
            await self._next_change()

    async def press(
        self, keys: str, how: PressHow | None = None, *, duration_ms: int = 80, pause_ms: int = 60
    ) -> None:
        """Press keys one after the other; returns when the last has been sent.

        `how`: None is what was negotiated (RFC 4733, else tones). Raises `PhoneError` for a key that no phone
        has, or for RFC 4733 when telephone-event was not agreed on.
        """
        way = how or ("rfc4733" if self.agreement.telephone_event is not None else "inband")
        for key in keys:
            if key not in EVENTS:
                raise PhoneError(f"there is no key {key!r}; a phone has {EVENTS}")
            if way == "info":
                await self._press_by_info(key, duration_ms, pause_ms)
            elif way == "inband":
                self._voice.press_tone(key, duration_ms, pause_ms)
            elif self.agreement.telephone_event is None:
                raise PhoneError("RFC 4733 digits were not agreed on; press with how='inband' or 'info'")
            else:
                self._voice.press_event(key, duration_ms, pause_ms)
        while self._voice.pressing and not self.is_over:
            await self._next_change()

    async def _press_by_info(self, key: str, duration_ms: int, pause_ms: int) -> None:
        body = f"Signal={key}\r\nDuration={duration_ms}\r\n".encode()
        await self.session.info("application/dtmf-relay", body)
        await asyncio.sleep((duration_ms + pause_ms) / 1000)

    # ---- hearing -------------------------------------------------------------------------------------------

    @property
    def received(self) -> Samples:
        """All that was heard so far, shape (samples,) at 8 kHz."""
        return self.hearing.samples

    @property
    def report(self) -> ReceptionReport:
        return self.hearing.report

    def mark(self) -> int:
        """This moment on the timeline of what is heard."""
        return self.hearing.end

    def heard_since(self, mark: int) -> Samples:
        return self.hearing.since(mark)

    async def listen(self, seconds: float) -> Samples:
        """The next so many seconds, shape (samples,); raises `NotHeard` when the call ends before."""
        mark = self.mark()
        wanted = round(seconds * RATE)
        while self.mark() - mark < wanted:
            if self.is_over:
                raise NotHeard(f"{self.settings.user}: the call ended while listening for {seconds:g} s")
            await self._next_change()
        return self.heard_since(mark)[:wanted]

    async def hears(self, sound: Sound | Judge, within_s: float = 10.0, since: int | None = None) -> int:
        """Wait until `sound` is heard for 200 ms; returns the mark where those begin.

        `since`: how far back to look; None is from now on. Raises `NotHeard`, saying what was heard instead.
        """
        judge = judge_of(sound)
        position = self.mark() if since is None else since
        try:
            async with asyncio.timeout(within_s):
                while True:
                    while self.mark() - position >= WINDOW:
                        if judge(self.received[position : position + WINDOW]):
                            return position
                        position += WINDOW // 4
                    if self.is_over:
                        raise NotHeard(f"{self.settings.user}: the call ended before {sound} was heard")
                    await self._next_change()
        except TimeoutError:
            heard = describe(self.received[-WINDOW:])
            raise NotHeard(
                f"{self.settings.user} did not hear {sound} within {within_s:g} s, but {heard}"
            ) from None

    def save(self, path: Path) -> None:
        """Write all that was heard as a WAV file, 8 kHz mono."""
        path.write_bytes(write_wav(self.received, RATE))

    # ---- the call's course ---------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        return self.session.ended.is_set()

    async def ended(self, within_s: float = 10.0) -> SessionEnded:
        """Wait for the call's end, however it comes."""
        async with asyncio.timeout(within_s):
            return await self.session.wait_ended()

    async def hold(self, direction: Direction = "sendonly") -> None:
        """Put the other side on hold by re-INVITE: we hear nothing (`sendonly`), nor say anything
        (`inactive`).
        """
        self._audio.accept(await self.session.reinvite(self._audio.offer(direction)))

    async def resume(self) -> None:
        self._audio.accept(await self.session.reinvite(self._audio.offer("sendrecv")))
        self.hearing.forget_gaps()

    async def hang_up(self) -> None:
        await self.session.hang_up()
        self.close()

    def close(self) -> None:
        """Put the receiver down: nothing is sent or heard any more."""
        self._socket.close()
        self._changed.set()

    def tick(self, now: float) -> None:
        """One packet time: speak, and let those who wait look at what came in."""
        agreed = self.agreement
        if self.is_over or not agreed.send:
            self._voice.skip()
        else:
            for packet in self._voice.next_packets(
                agreed.payload_type, agreed.telephone_event, self._encode_payload
            ):
                self._socket.send(packet, agreed.remote)
                self.packets_sent += 1
        if not self._socket.has_more:
            self.hearing.tick(now)
        self._changed.set()
        self._changed = asyncio.Event()

    def _encode_payload(self, samples: Samples) -> bytes:
        return self._encode(self.agreement.codec, samples)

    async def _next_change(self) -> None:
        await self._changed.wait()


def read_audio(path: Path) -> Samples:
    """A sound file as samples at 8 kHz, mono, shape (samples,); raises `PhoneError`."""
    try:
        return decode(path.read_bytes(), rate=RATE)
    except (OSError, AudioError) as error:
        raise PhoneError(f"{path} cannot be played: {error}") from error


def describe(samples: Samples) -> str:
    """What is heard, in words."""
    if not len(samples):
        return "nothing at all came"
    if is_silence(samples):
        return "silence"
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    loudest = np.argmax(spectrum) * RATE / len(samples)
    return f"a sound of level {rms(samples):.0f} with its peak near {loudest:.0f} Hz"
