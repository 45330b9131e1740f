"""Legs come, agree with their peer on what is sent, and go: `OpenLeg`, `ConnectLeg` and `CloseLeg`."""

import logging

import numpy as np

from townhall.audio.opus import OpusMissing
from townhall.errors import TownhallError
from townhall.media.forms import Form, form_of, tick_units_of
from townhall.media.network import LocalPort
from townhall.media.parts import Parts
from townhall.media.protocol import CloseLeg, ConnectLeg, LegClosed, LegOpened, LegRefused, OpenLeg
from townhall.media.receiver import ALAW, ULAW
from townhall.media.wide_codecs import quality_of

log = logging.getLogger(__name__)

PTIMES = (10, 20, 30, 40, 50, 60)


class Openings:
    """Carries these commands out. A command for a leg that is gone does nothing."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._legs = parts.legs
        self._network = parts.network

    def open(self, command: OpenLeg, now: float) -> None:
        """Give the leg a row and a port, or tell why not."""
        parts, legs = self._parts, self._legs
        if command.leg in legs.slot_of:
            return parts.events.append(LegRefused(command.leg, f"leg {command.leg} is open already"))
        if parts.refusal:
            return parts.events.append(LegRefused(command.leg, parts.refusal))
        slot = -1
        try:
            slot = legs.add(command.leg, now)
            port = self._port(slot, command, now)
        except (TownhallError, ValueError) as error:
            if slot >= 0:
                legs.remove(command.leg)
            return parts.events.append(LegRefused(command.leg, str(error)))
        legs.silence_limit[slot] = parts.settings.silence_limit_s
        parts.receiver.reset(slot)
        parts.mixer.forget_leg(slot)
        parts.conditioner.forget_leg(slot)
        if parts.wide is not None:
            parts.wide.forget_leg(slot)
        rtcp_port = port.port if port.secure else port.port + 1
        parts.events.append(LegOpened(command.leg, port.port, rtcp_port, port.host))

    def _port(self, slot: int, command: OpenLeg, now: float) -> LocalPort:
        if command.secure:
            return self._network.open_secure(slot, command.leg)
        return self._network.open(
            slot,
            command.remote,
            command.may_latch,
            command.ip_version,
            command.host,
            now,
            command.latch_from,
        )

    def connect(self, command: ConnectLeg, now: float) -> None:
        """Take in what an offer and its answer agreed on."""
        parts, legs = self._parts, self._legs
        slot = legs.slot_of.get(command.leg, -1)
        if slot < 0:
            return
        before = legs.agreed_name[slot].copy()
        try:
            self._network.agree(slot, command.remote, command.remote_rtcp, command.rtcp_mux, now)
        except ValueError:
            legs.has_remote[slot] = False  # nothing to send to; the leg may still latch
        parts.proof.agree(slot, command.wanted, not np.array_equal(before, legs.agreed_name[slot]))
        able = self._set_codec(slot, command)
        legs.marker[slot] |= bool(command.send and not legs.sends[slot])
        legs.payload_type[slot] = command.payload_type
        legs.event_type[slot] = -1 if command.telephone_event is None else command.telephone_event
        legs.sends[slot], legs.receives[slot] = able and command.send, able and command.receive
        if not legs.connected[slot]:
            legs.connected[slot] = True
            legs.last_packet[slot] = now
        parts.reports.schedule(slot, now)
        parts.dirty = True

    def _set_codec(self, slot: int, command: ConnectLeg) -> bool:
        """Note the codec of a leg; False when it is Opus and there is no libopus."""
        legs = self._legs
        form = form_of(command.codec)
        if form is not Form.G711 and not self._start_wide(form):
            return False
        law = ALAW if command.codec == "PCMA" else ULAW
        ptime = command.ptime_ms if command.ptime_ms in PTIMES and form is not Form.OPUS else 20
        if (legs.law[slot], legs.ptime[slot]) != (law, ptime):
            legs.fifo_fill[slot] = 0
        if form != legs.form[slot]:
            self._change_form(slot, form)
        legs.law[slot], legs.ptime[slot] = law, ptime
        legs.quality[slot] = quality_of(form, command.max_bitrate, command.in_band_fec)
        legs.tick_units[slot] = tick_units_of(form)
        rate = 50 * int(legs.tick_units[slot])
        legs.event_units[slot] = (command.telephone_event_rate or rate) // 50
        self._parts.receiver.sources.clock_rate[slot] = rate
        return True

    def _start_wide(self, form: Form) -> bool:
        """Be ready for this form; False when it is Opus and there is no libopus."""
        try:
            self._parts.start_wide(form)
        except OpusMissing as error:
            log.error("a leg wants Opus and stays silent: %s", error)
            return False
        return True

    def _change_form(self, slot: int, form: Form) -> None:
        """From one form to another: what was received, or is half sent, is of no use any more."""
        parts, legs = self._parts, self._legs
        slots = np.array([slot])
        parts.uplinks.release(slots)
        legs.decoded[slot] = False
        legs.form[slot], legs.wide[slot] = form, form is not Form.G711
        legs.fifo_fill[slot] = 0
        parts.receiver.sources.reset(slots)
        ended = parts.digits.stop(slot)
        if ended is not None:
            parts.events.append(ended)
        parts.players.change_form(int(legs.play[slot]), form)

    def close(self, command: CloseLeg, now: float) -> None:
        """End the leg and all that it does, and tell what came of it."""
        parts, legs = self._parts, self._legs
        slot = legs.slot_of.get(command.leg, -1)
        if slot < 0:
            return
        parts.players.stop(int(legs.play[slot]))
        ended = parts.digits.stop(slot)
        if ended is not None:
            parts.events.append(ended)
        if legs.connected[slot] and legs.has_remote[slot]:
            parts.goodbyes.append(parts.reports.goodbye(slot, now, parts.wallclock))
        parts.events.append(self._account(command.leg, slot))
        parts.recorders.leg_closed(command.leg, parts.ticks + 1)
        bus = int(legs.bus[slot])
        legs.bus[slot] = -1
        parts.part_from_bus(bus)
        self._network.close(slot)
        parts.conditioner.forget_leg(slot)
        parts.uplinks.release(np.array([slot]))
        if parts.shared is not None:
            parts.shared.forget_leg(command.leg)
        legs.remove(command.leg)
        parts.dirty = True

    def _account(self, leg: int, slot: int) -> LegClosed:
        legs, sources = self._legs, self._parts.receiver.sources
        return LegClosed(
            leg,
            int(legs.packets_received[slot]),
            int(legs.packets_sent[slot]),
            max(0, int(sources.lost(np.array([slot]))[0])),
            int(legs.packets_dropped[slot]),
            float(sources.jitter[slot] / sources.clock_rate[slot] * 1000),
        )
