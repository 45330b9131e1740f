"""Digits that we press: RFC 4733 events where the peer takes them, else tones in the audio.

Only the few legs that are pressing something just now are looked at, one by one. An event runs 100 ms, is
ended by three packets (RFC 4733 section 2.5.1.4) and followed by 100 ms of pause; the audio's timestamps
go on underneath.
"""

from dataclasses import dataclass

import numpy as np

from townhall.audio.g711 import encode_alaw, encode_ulaw
from townhall.audio.tones import dtmf
from townhall.media.forms import Form
from townhall.media.legs import Legs
from townhall.media.protocol import PlayFinished
from townhall.media.shapes import TICK_SAMPLES, Bytes, Int16s, Outgoing
from townhall.media.wide_codecs import encode_clip
from townhall.rtp.packet import RTPPacket, build_packet
from townhall.rtp.telephone_event import DIGITS, TelephoneEvent, build_event

EVENT_TICKS = 5
END_PACKETS = 3
GAP_TICKS = 5
PAUSE_TICKS = {"w": 25, "W": 50}
KEYS = frozenset(DIGITS) | frozenset(PAUSE_TICKS)
MAX_DIGITS = 128


@dataclass(eq=False, slots=True)
class _Run:
    """One leg's digits under way; `step` counts ticks within the current digit."""

    play: int
    leg: int
    digits: str
    step: int = 0
    began: int = 0
    """Timestamp of the event."""
    tone: list[Bytes] | None = None
    """What is sent in each tick of the digit."""


class DigitSender:
    """The runs of all legs, by slot."""

    def __init__(self, legs: Legs, opus_library: str = "") -> None:
        self._opus_library = opus_library
        self.changed = False
        """Legs began or ended an event in place of audio (the mixer's plan)."""
        self._legs = legs
        self._runs: dict[int, _Run] = {}

    def start(self, slot: int, play: int, digits: str) -> PlayFinished | None:
        """Begin; returns the failure when there is something in `digits` that is no key."""
        leg = int(self._legs.number[slot])
        digits = "".join(key if key == "w" else key.upper() for key in digits)
        wrong = sorted(set(digits) - KEYS)
        if wrong or len(digits) > MAX_DIGITS:
            what = f"{wrong[0]!r} is no key" if wrong else f"{len(digits)} digits; at most {MAX_DIGITS}"
            return PlayFinished(play, leg, "failed", what)
        if slot in self._runs:
            return PlayFinished(play, leg, "failed", "digits are being sent already")
        self._runs[slot] = _Run(play, leg, digits)
        return None

    def stop(self, slot: int) -> PlayFinished | None:
        """End the leg's digits."""
        run = self._runs.pop(slot, None)
        if run is None:
            return None
        self._set_pressing(slot, False)
        return PlayFinished(run.play, run.leg, "stopped")

    def stop_play(self, play: int) -> PlayFinished | None:
        """End the digits that were started as this play."""
        slots = [slot for slot, run in self._runs.items() if run.play == play]
        return self.stop(slots[0]) if slots else None

    def tick(self) -> tuple[Outgoing | None, list[PlayFinished], dict[int, Bytes]]:
        """The event packets of this tick, the runs that ended, and codes (or a packet) to send in place
        of audio, by slot.
        """
        if not self._runs:
            return None, [], {}
        packets: list[tuple[int, bytes]] = []
        ended: list[PlayFinished] = []
        tones: dict[int, Bytes] = {}
        for slot, run in list(self._runs.items()):
            if not (self._legs.connected[slot] and self._legs.sends[slot]):
                continue
            if not run.digits:
                del self._runs[slot]
                ended.append(PlayFinished(run.play, run.leg, "finished"))
            elif run.digits[0] in PAUSE_TICKS:
                self._advance(run, PAUSE_TICKS[run.digits[0]])
            elif self._legs.event_type[slot] >= 0:
                packets.extend((slot, packet) for packet in self._event_packets(slot, run))
            else:
                tones[slot] = self._tone(slot, run)
        return self._batch(packets), ended, tones

    def _set_pressing(self, slot: int, pressing: bool) -> None:
        self.changed |= bool(self._legs.pressing[slot]) != pressing
        self._legs.pressing[slot] = pressing
        self._legs.fifo_fill[slot] = 0

    def _advance(self, run: _Run, ticks: int) -> None:
        run.step += 1
        if run.step >= ticks:
            run.step = 0
            run.digits = run.digits[1:]

    def _event_packets(self, slot: int, run: _Run) -> list[bytes]:
        legs, step = self._legs, run.step
        self._advance(run, EVENT_TICKS + GAP_TICKS)
        if step >= EVENT_TICKS:
            self._set_pressing(slot, False)
            return []
        if step == 0:
            run.began = int(legs.timestamp[slot])
            self._set_pressing(slot, True)
        ends = step == EVENT_TICKS - 1
        key = DIGITS.index(run.digits[0])
        payload = build_event(TelephoneEvent(key, ends, int(legs.event_units[slot]) * (step + 1)))
        copies = END_PACKETS if ends else 1
        packets = []
        for _ in range(copies):
            packet = RTPPacket(
                int(legs.event_type[slot]),
                int(legs.sequence_number[slot]),
                run.began,
                int(legs.ssrc[slot]),
                payload,
                marker=step == 0,
            )
            packets.append(build_packet(packet))
            legs.sequence_number[slot] += np.uint16(1)
        legs.timestamp[slot] += legs.tick_units[slot]
        legs.packets_sent[slot] += copies
        legs.octets_sent[slot] += copies * len(payload)
        return packets

    def _tone(self, slot: int, run: _Run) -> Bytes:
        """160 codes, or a packet, of the digit's tone."""
        if run.step == 0:
            run.tone = (
                self._wide_tone(Form(int(self._legs.form[slot])), run.digits[0])
                if self._legs.wide[slot]
                else self._g711_tone(slot, run.digits[0])
            )
        assert run.tone is not None
        codes = run.tone[run.step]
        self._advance(run, EVENT_TICKS + GAP_TICKS)
        return codes

    def _g711_tone(self, slot: int, digit: str) -> list[Bytes]:
        samples = _tone_and_pause(digit, 1)
        codes = encode_alaw(samples) if self._legs.law[slot] else encode_ulaw(samples)
        return list(codes.reshape(-1, TICK_SAMPLES))

    def _wide_tone(self, form: Form, digit: str) -> list[Bytes]:
        """Encoded for each press: this is for peers without telephone-event, which no browser is."""
        packets = encode_clip(form, self._opus_library, _tone_and_pause(digit, 2))
        return [row[1 : 1 + int(row[0])] for row in packets]

    def _batch(self, packets: list[tuple[int, bytes]]) -> Outgoing | None:
        if not packets:
            return None
        packets.sort(key=lambda item: int(self._legs.socket[item[0]]))
        data = np.zeros((len(packets), 32), np.uint8)
        for row, (_, packet) in zip(data, packets, strict=True):
            row[: len(packet)] = np.frombuffer(packet, np.uint8)
        slots = np.array([slot for slot, _ in packets])
        lengths = np.array([len(packet) for _, packet in packets])
        return Outgoing(data, lengths, self._legs.name[slots], self._legs.socket[slots])


def _tone_and_pause(digit: str, scale: int) -> Int16s:
    """A press and the pause after it, int16 at `scale` times 8 kHz."""
    samples = np.zeros((EVENT_TICKS + GAP_TICKS) * TICK_SAMPLES * scale, np.int16)
    wave = dtmf(digit, rate=8000 * scale)[: EVENT_TICKS * TICK_SAMPLES * scale]
    samples[: len(wave)] = wave
    return samples
