"""All legs of a media process, without sockets and without a clock: commands and packets in, events and
packets out.

`handle` takes commands as they come, `receive` batches of datagrams, `tick` makes the 20 ms step. Times
are monotonic seconds given by the caller.
"""

import logging
from collections.abc import Sequence

import numpy as np

from townhall.audio.inband import InbandDigits
from townhall.audio.levels import SpeechDetector
from townhall.audio.opus import OpusMissing
from townhall.errors import TownhallError
from townhall.media.buses import Buses
from townhall.media.clips import ClipStore
from townhall.media.digits import DigitSender
from townhall.media.legs import Legs
from townhall.media.level_meters import TICKS as LEVEL_TICKS
from townhall.media.level_meters import LevelMeters
from townhall.media.mixer import Mixer
from townhall.media.network import LocalPort, Network
from townhall.media.opus_table import OpusTable, quality_of
from townhall.media.plan import Plan, make_plan
from townhall.media.players import Players
from townhall.media.proof import Proof
from townhall.media.protocol import (
    CloseLeg,
    Command,
    ConnectLeg,
    DigitPressed,
    Event,
    LegClosed,
    LegOpened,
    LegRefused,
    LegSilent,
    OpenLeg,
    PauseRecorder,
    Play,
    PlayFinished,
    PlayToBus,
    ResumeRecorder,
    SendDigits,
    SetMix,
    SetSilenceLimit,
    SpeechStarted,
    SpeechStopped,
    StartRecorder,
    StopPlay,
    StopRecorder,
    WatchLevels,
)
from townhall.media.receiver import ALAW, ULAW, Receiver
from townhall.media.recorders import Recorders
from townhall.media.reports import Reports
from townhall.media.sender import Sender
from townhall.media.sent import SentVoices
from townhall.media.settings import MediaSettings
from townhall.media.shapes import OPUS_TICK_UNITS, TICK_SAMPLES, Int16s, Int64s, Outgoing, Received
from townhall.media.uplinks import Uplinks

log = logging.getLogger(__name__)

SILENCE_CHECK_TICKS = 10
REPORT_TICKS = 5
"""RTCP is sent on every fifth tick: a few legs at once cost little more than one."""

MOST_TICKS_PLAYED_OUT = 50
"""Of a long stall; the rings hold a second."""

PTIMES = (10, 20, 30, 40, 50, 60)


class Engine:
    """See the module. `events` fills up as things happen; whoever drives the engine empties it."""

    def __init__(self, settings: MediaSettings, local: Sequence[LocalPort], seed: int = 0) -> None:
        self.events: list[Event] = []
        self.legs = Legs(settings.max_legs)
        self.network = Network(self.legs, local)
        self.uplinks = Uplinks(self.legs, settings.opus_library)
        self.clips = ClipStore(settings.clip_bytes, settings.opus_library)
        self.players = Players(self.clips, self.events.append)
        self.receiver = Receiver(self.legs, self.network, self.uplinks, self.events.append)
        self.reports = Reports(self.legs, self.network, self.receiver.sources, len(local), seed)
        self.sender = Sender(self.legs)
        self._proof = Proof(self.legs)
        self.recorders = Recorders(self.legs, self.events.append)
        self.refusal = ""
        """Why new legs are refused just now; empty when they are welcome."""
        self._settings = settings
        self._sockets = len(local)
        self._buses = Buses(settings.max_legs)
        self._mixer = Mixer(settings.max_legs, self._buses.rows)
        self._opus: OpusTable | None = None
        """Made when the first Opus leg comes."""
        self._sent = SentVoices(self.legs)
        self._levels = LevelMeters(settings.max_legs)
        self._digits = DigitSender(self.legs, settings.opus_library)
        self._in_band = InbandDigits(settings.max_legs)
        self._speech = SpeechDetector(settings.max_legs)
        self._speaking = np.zeros(settings.max_legs, np.bool_)
        self._goodbyes: list[Outgoing] = []
        self._ticks = 0
        self._wallclock = 0.0
        self._dirty = True
        self._plan: Plan = self._replan()

    def close(self) -> None:
        """End the threads; what was recorded is written."""
        self.recorders.close(self._ticks + 1)
        self.clips.close()

    # -- commands ------------------------------------------------------------

    def handle(self, command: Command, now: float) -> None:
        """Carry out one command. A command for a leg that is gone does nothing."""
        self._drop_ended_plays()
        match command:
            case OpenLeg():
                self._open(command, now)
            case ConnectLeg():
                self._connect(command, now)
            case CloseLeg():
                self._close(command.leg, now)
            case SetMix():
                self._set_mix(command)
            case Play():
                self._play(command)
            case StopPlay():
                self._stop_play(command.play)
            case PlayToBus():
                self._play_to_bus(command)
            case SendDigits():
                self._send_digits(command)
            case SetSilenceLimit():
                self._set_silence_limit(command, now)
            case WatchLevels():
                self._levels.watch(command.bus, command.on)
            case StartRecorder() | PauseRecorder() | ResumeRecorder() | StopRecorder():
                self.recorders.handle(command, self._ticks + 1)
            case _:
                pass
        self._drop_ended_plays()

    def _open(self, command: OpenLeg, now: float) -> None:
        if command.leg in self.legs.slot_of:
            return self.events.append(LegRefused(command.leg, f"leg {command.leg} is open already"))
        if self.refusal:
            return self.events.append(LegRefused(command.leg, self.refusal))
        slot = -1
        try:
            slot = self.legs.add(command.leg, now)
            port = self._port(slot, command, now)
        except (TownhallError, ValueError) as error:
            if slot >= 0:
                self.legs.remove(command.leg)
            return self.events.append(LegRefused(command.leg, str(error)))
        self.legs.silence_limit[slot] = self._settings.silence_limit_s
        self.receiver.reset(slot)
        self._mixer.forget_leg(slot)
        if self._opus is not None:
            self._opus.forget_leg(slot)
        rtcp_port = port.port if port.secure else port.port + 1
        self.events.append(LegOpened(command.leg, port.port, rtcp_port, port.host))

    def _port(self, slot: int, command: OpenLeg, now: float) -> LocalPort:
        if command.secure:
            return self.network.open_secure(slot, command.leg)
        return self.network.open(
            slot,
            command.remote,
            command.may_latch,
            command.ip_version,
            command.host,
            now,
            command.latch_from,
        )

    def _connect(self, command: ConnectLeg, now: float) -> None:
        slot = self.legs.slot_of.get(command.leg, -1)
        if slot < 0:
            return
        legs = self.legs
        before = legs.agreed_name[slot].copy()
        try:
            self.network.agree(slot, command.remote, command.remote_rtcp, command.rtcp_mux, now)
        except ValueError:
            legs.has_remote[slot] = False  # nothing to send to; the leg may still latch
        self._proof.agree(slot, command.wanted, not np.array_equal(before, legs.agreed_name[slot]))
        able = self._set_codec(slot, command)
        legs.marker[slot] |= bool(command.send and not legs.sends[slot])
        legs.payload_type[slot] = command.payload_type
        legs.event_type[slot] = -1 if command.telephone_event is None else command.telephone_event
        legs.sends[slot], legs.receives[slot] = able and command.send, able and command.receive
        if not legs.connected[slot]:
            legs.connected[slot] = True
            legs.last_packet[slot] = now
        self.reports.schedule(slot, now)
        self._dirty = True

    def _set_codec(self, slot: int, command: ConnectLeg) -> bool:
        """Note the codec of a leg; False when it is Opus and there is no libopus."""
        legs = self.legs
        opus = command.codec == "opus"
        if opus and not self._start_opus():
            return False
        law = ALAW if command.codec == "PCMA" else ULAW
        ptime = command.ptime_ms if command.ptime_ms in PTIMES and not opus else 20
        if (legs.law[slot], legs.ptime[slot]) != (law, ptime):
            legs.fifo_fill[slot] = 0
        if opus != legs.opus[slot]:
            self._change_to_opus(slot, opus)
        legs.law[slot], legs.ptime[slot] = law, ptime
        legs.quality[slot] = quality_of(command.max_bitrate, command.in_band_fec)
        legs.tick_units[slot] = OPUS_TICK_UNITS if opus else TICK_SAMPLES
        rate = 50 * int(legs.tick_units[slot])
        legs.event_units[slot] = (command.telephone_event_rate or rate) // 50
        self.receiver.sources.clock_rate[slot] = rate
        return True

    def _start_opus(self) -> bool:
        """Be ready for Opus; False when there is no libopus."""
        try:
            library = self.uplinks.start_opus()
        except OpusMissing as error:
            log.error("a leg wants Opus and stays silent: %s", error)
            return False
        if self._opus is None:
            self._opus = OpusTable(library, self.legs.capacity, self._buses.rows)
        return True

    def _change_to_opus(self, slot: int, opus: bool) -> None:
        """From G.711 to Opus or back: what was received, or is half sent, is of no use any more."""
        legs = self.legs
        slots = np.array([slot])
        self.uplinks.release(slots)
        legs.decoded[slot] = False
        legs.opus[slot] = opus
        legs.fifo_fill[slot] = 0
        self.receiver.sources.reset(slots)
        ended = self._digits.stop(slot)
        if ended is not None:
            self.events.append(ended)
        self.players.change_form(int(legs.play[slot]), opus)

    def _close(self, leg: int, now: float) -> None:
        legs = self.legs
        slot = legs.slot_of.get(leg, -1)
        if slot < 0:
            return
        self.players.stop(int(legs.play[slot]))
        ended = self._digits.stop(slot)
        if ended is not None:
            self.events.append(ended)
        if legs.connected[slot] and legs.has_remote[slot]:
            self._goodbyes.append(self.reports.goodbye(slot, now, self._wallclock))
        slots = np.array([slot])
        self.events.append(
            LegClosed(
                leg,
                int(legs.packets_received[slot]),
                int(legs.packets_sent[slot]),
                max(0, int(self.receiver.sources.lost(slots)[0])),
                int(legs.packets_dropped[slot]),
                float(self.receiver.sources.jitter[slot] / self.receiver.sources.clock_rate[slot] * 1000),
            )
        )
        self.recorders.leg_closed(leg, self._ticks + 1)
        self._leave_bus(slot)
        self.network.close(slot)
        self._speaking[slot] = False
        self.uplinks.release(slots)
        legs.remove(leg)
        self._dirty = True

    def _set_mix(self, command: SetMix) -> None:
        legs = self.legs
        slot = legs.slot_of.get(command.leg, -1)
        if slot < 0:
            return
        before = int(legs.bus[slot])
        after = -1 if command.bus is None else self._buses.join(command.bus)
        legs.bus[slot] = after
        legs.hears[slot], legs.heard[slot] = command.hears, command.heard
        target = -1 if command.whisper_to is None else legs.slot_of.get(command.whisper_to, -1)
        legs.whisper_to[slot] = target if target != slot else -1
        if before >= 0:
            self._part_from_bus(before)
        self._dirty = True

    def _leave_bus(self, slot: int) -> None:
        bus = int(self.legs.bus[slot])
        self.legs.bus[slot] = -1
        if bus >= 0:
            self._part_from_bus(bus)

    def _part_from_bus(self, bus: int) -> None:
        if self._buses.part(bus):
            for row in self._buses.plays_of(bus):
                self.players.stop(row)

    def _play(self, command: Play) -> None:
        slot = self.legs.slot_of.get(command.leg, -1)
        if slot < 0:
            return self.events.append(PlayFinished(command.play, command.leg, "stopped", "the leg is closed"))
        self.players.stop(int(self.legs.play[slot]))
        self._drop_ended_plays()  # before the new play can get the old one's row
        self.legs.play[slot] = self.players.start(
            command.play,
            command.clips,
            command.loops,
            leg=command.leg,
            slot=slot,
            opus=bool(self.legs.opus[slot]),
        )
        self._dirty = True

    def _stop_play(self, play: int) -> None:
        self.players.stop(self.players.row_of(play))
        ended = self._digits.stop_play(play)
        if ended is not None:
            self.events.append(ended)

    def _play_to_bus(self, command: PlayToBus) -> None:
        bus = self._buses.index_of(command.bus)
        if bus < 0:
            return self.events.append(PlayFinished(command.play, None, "stopped", "nobody is in the bus"))
        owner = -1 if command.owner is None else self.legs.slot_of.get(command.owner, -1)
        row = self.players.start(command.play, command.clips, 1, bus=bus, owner=owner)
        if row >= 0:
            self._buses.add_play(row, bus, owner)
        self._dirty = True

    def _send_digits(self, command: SendDigits) -> None:
        slot = self.legs.slot_of.get(command.leg, -1)
        failure: PlayFinished | None = PlayFinished(command.play, command.leg, "stopped", "the leg is closed")
        if slot >= 0:
            failure = self._digits.start(slot, command.play, command.digits)
        if failure is not None:
            self.events.append(failure)

    def _set_silence_limit(self, command: SetSilenceLimit, now: float) -> None:
        slot = self.legs.slot_of.get(command.leg, -1)
        if slot >= 0:
            self.legs.silence_limit[slot] = max(0.0, command.seconds)
            self.legs.silent_told[slot] = False
            self.legs.last_packet[slot] = now

    def _drop_ended_plays(self) -> None:
        """Legs whose play is over hear their bus again."""
        if self.players.changed:
            self.players.changed = False
            self._dirty = True
            for record in self.players.take_ended():
                if record.slot >= 0 and self.legs.number[record.slot] == record.leg:
                    self.legs.play[record.slot] = -1
            self._buses.keep_plays(self.players.records)

    # -- packets ------------------------------------------------------------

    def receive(self, batch: Received, now: float) -> None:
        """Take in a batch of datagrams from any of the sockets."""
        reports = batch.sockets >= self._sockets
        reports |= (batch.data[:, 1] >= 192) & (batch.data[:, 1] <= 223)  # RFC 5761 section 4
        if reports.any():
            self.reports.take(_rows(batch, np.flatnonzero(reports)), now)
            rest = np.flatnonzero(~reports)
            if not rest.size:
                return
            batch = _rows(batch, rest)
        self.receiver.take(batch, self._ticks, now)

    def tick(self, now: float, wallclock: float = 0.0) -> list[Outgoing]:
        """One step of 20 ms: what is to be sent now. The batches are valid until the next call."""
        self._ticks += 1
        self._wallclock = wallclock
        self.clips.collect()
        events_out, ended, tones = self._digits.tick()
        self.events.extend(ended)
        self._drop_ended_plays()
        self.recorders.look(self._ticks)
        if self._dirty or self._digits.changed or self.recorders.changed:
            self._digits.changed = False
            self._plan = self._replan()
        plan = self._plan
        frames, wide_frames = self.uplinks.read(plan)
        if plan.attended:
            self._notice_speech(plan.reading[: plan.attended], frames[: plan.attended])
        if len(plan.in_band):
            self._notice_tones(plan.reading[plan.in_band], frames[plan.in_band])
        table = self._mixer.mix(plan, self.legs.bus, frames, self.players, self._buses.plays)
        opus = self._opus if plan.wide is not None else None
        if opus is not None and plan.wide is not None:
            opus.fill(plan.wide, frames, wide_frames, self._mixer.sums, self._mixer.beeps, self.players)
        self.recorders.take(
            self._ticks,
            frames,
            self._mixer.sums,
            lambda slots: self._sent.samples(plan, table, opus, tones, slots),
        )
        batches = self.sender.build(plan, table, tones, opus)
        if events_out is not None:
            batches.append(events_out)
        self.players.finish()
        self._drop_ended_plays()
        batches.extend(self._goodbyes)
        self._goodbyes = []
        if self._ticks % REPORT_TICKS == 0:
            batches.extend(self.reports.due(now, wallclock))
        self._tell_levels(plan, frames)
        if self._ticks % SILENCE_CHECK_TICKS == 0:
            self._notice_silence(now)
            self._dirty |= self._proof.look(SILENCE_CHECK_TICKS)
        return batches

    def skip(self, ticks: int) -> None:
        """Pass over ticks missed in a stall: the streams' clocks go on, nothing is sent for them."""
        legs = self.legs
        sending = legs.connected & legs.sends
        legs.timestamp[sending] += legs.tick_units[sending] * np.uint32(ticks & 0xFFFFFFFF)
        legs.marker[sending] = True
        self._ticks += ticks
        for _ in range(min(ticks, MOST_TICKS_PLAYED_OUT)):
            self.uplinks.read(self._plan)

    def _replan(self) -> Plan:
        """A new plan; legs that are newly listened to start with a fresh ring."""
        self._dirty = False
        legs = self.legs
        self._buses.show_sounding(self.players.running)
        recorded, attended = self.recorders.listened_to()
        plan = make_plan(legs, self.players.running, self._buses.plays, recorded, attended)
        self.recorders.follow(plan, self._buses.index_of, self._ticks)
        self._sent.keep(self.recorders.sent_slots())
        fresh = plan.reading[~legs.decoded[plan.reading]]
        decoded = legs.decoded.copy()
        legs.decoded[:] = False
        legs.decoded[plan.reading] = True
        self.uplinks.release(np.flatnonzero(decoded & ~legs.decoded & legs.opus))
        self.uplinks.reset(fresh)
        self._in_band.reset(fresh)
        self._speech.reset(fresh)
        talking = np.zeros(legs.capacity, np.bool_)
        talking[plan.reading[: plan.attended]] = True
        for slot in np.flatnonzero(self._speaking & ~talking).tolist():
            self._speaking[slot] = False
            self._speech.reset(np.array([slot]))
            self.events.append(SpeechStopped(int(legs.number[slot])))
        return plan

    def _notice_speech(self, slots: Int64s, frames: Int16s) -> None:
        started, stopped = self._speech.update(slots, frames)
        for slot in started.tolist():
            self._speaking[slot] = True
            self.events.append(SpeechStarted(int(self.legs.number[slot])))
        for slot in stopped.tolist():
            self._speaking[slot] = False
            self.events.append(SpeechStopped(int(self.legs.number[slot])))

    def _notice_tones(self, slots: Int64s, frames: Int16s) -> None:
        pressing, digits = self._in_band.detect(slots, frames)
        for slot, digit in zip(pressing.tolist(), digits, strict=True):
            self.events.append(DigitPressed(int(self.legs.number[slot]), digit, "inband"))

    def _tell_levels(self, plan: Plan, frames: Int16s) -> None:
        levels = self._levels
        if not levels.watched:
            return
        levels.take(plan, frames)
        if self._ticks % LEVEL_TICKS == 0:
            rows = {name: self._buses.index_of(name) for name in levels.watched}
            rows = {name: row for name, row in rows.items() if row >= 0}
            self.events.extend(levels.report(plan, rows, self.legs.bus, self.legs.number))

    def _notice_silence(self, now: float) -> None:
        legs = self.legs
        quiet = now - legs.last_packet
        silent = legs.connected & (legs.silence_limit > 0) & (quiet > legs.silence_limit)
        for slot in np.flatnonzero(silent & ~legs.silent_told).tolist():
            legs.silent_told[slot] = True
            self.events.append(LegSilent(int(legs.number[slot]), round(float(quiet[slot]), 1)))
        legs.silent_told &= silent


def _rows(batch: Received, rows: Int64s) -> Received:
    return Received(
        batch.data[rows], batch.lengths[rows], batch.names[rows], batch.sockets[rows], batch.arrived[rows]
    )
