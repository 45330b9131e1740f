"""Carries out what control asks for: who is mixed with whom, what is played to whom, who is recorded.

Legs' coming and going is in `openings`. A command takes effect with the next tick.
"""

from townhall.media.forms import Form
from townhall.media.openings import Openings
from townhall.media.parts import Parts
from townhall.media.protocol import (
    AddVoice,
    CloseLeg,
    Command,
    ConditionLeg,
    ConnectLeg,
    OpenLeg,
    PauseRecorder,
    Play,
    PlayFinished,
    PlayToBus,
    ResumeRecorder,
    SendDigits,
    SetMix,
    SetSilenceLimit,
    ShareBus,
    ShareVoice,
    StartRecorder,
    StopPlay,
    StopRecorder,
    WatchLevels,
)


class Commands:
    """See the module."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._legs = parts.legs
        self._openings = Openings(parts)

    def carry_out(self, command: Command, now: float) -> None:
        """Carry out one command. A command for a leg that is gone does nothing."""
        self._parts.drop_ended_plays()
        match command:
            case OpenLeg():
                self._openings.open(command, now)
            case ConnectLeg():
                self._openings.connect(command, now)
            case CloseLeg():
                self._openings.close(command, now)
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
            case ConditionLeg() | SetSilenceLimit():
                self._set_leg(command, now)
            case WatchLevels():
                self._parts.levels.watch(command.bus, command.on)
            case StartRecorder() | PauseRecorder() | ResumeRecorder() | StopRecorder():
                self._parts.recorders.handle(command, self._parts.ticks + 1)
            case _:
                self._share(command)
        self._parts.drop_ended_plays()

    def _set_mix(self, command: SetMix) -> None:
        parts, legs = self._parts, self._legs
        slot = legs.slot_of.get(command.leg, -1)
        if slot < 0:
            return
        before = int(legs.bus[slot])
        after = -1 if command.bus is None else parts.buses.join(command.bus)
        legs.bus[slot] = after
        legs.hears[slot], legs.heard[slot] = command.hears, command.heard
        target = -1 if command.whisper_to is None else legs.slot_of.get(command.whisper_to, -1)
        legs.whisper_to[slot] = target if target != slot else -1
        parts.part_from_bus(before)
        parts.dirty = True

    def _share(self, command: Command) -> None:
        """What concerns several processes."""
        parts, shared = self._parts, self._parts.shared
        if shared is None:
            return
        match command:
            case ShareBus():
                parts.part_from_bus(shared.share_bus(command.bus, command.row))
            case ShareVoice():
                shared.share_voice(command.leg, command.row)
            case AddVoice():
                shared.add_voice(command.leg, command.row, command.bus)
            case _:
                return
        parts.dirty = True

    def _play(self, command: Play) -> None:
        parts, legs = self._parts, self._legs
        slot = legs.slot_of.get(command.leg, -1)
        if slot < 0:
            return parts.events.append(
                PlayFinished(command.play, command.leg, "stopped", "the leg is closed")
            )
        parts.players.stop(int(legs.play[slot]))
        parts.drop_ended_plays()  # before the new play can get the old one's row
        legs.play[slot] = parts.players.start(
            command.play,
            command.clips,
            command.loops,
            leg=command.leg,
            slot=slot,
            form=Form(int(legs.form[slot])),
        )
        parts.dirty = True

    def _stop_play(self, play: int) -> None:
        parts = self._parts
        parts.players.stop(parts.players.row_of(play))
        ended = parts.digits.stop_play(play)
        if ended is not None:
            parts.events.append(ended)

    def _play_to_bus(self, command: PlayToBus) -> None:
        parts = self._parts
        bus = parts.buses.index_of(command.bus)
        if bus < 0:
            return parts.events.append(PlayFinished(command.play, None, "stopped", "nobody is in the bus"))
        owner = -1 if command.owner is None else self._legs.slot_of.get(command.owner, -1)
        row = parts.players.start(command.play, command.clips, 1, bus=bus, owner=owner, skip=command.skip)
        if row >= 0:
            parts.buses.add_play(row, bus, owner)
        parts.dirty = True

    def _send_digits(self, command: SendDigits) -> None:
        slot = self._legs.slot_of.get(command.leg, -1)
        failure: PlayFinished | None = PlayFinished(command.play, command.leg, "stopped", "the leg is closed")
        if slot >= 0:
            failure = self._parts.digits.start(slot, command.play, command.digits)
        if failure is not None:
            self._parts.events.append(failure)

    def _set_leg(self, command: ConditionLeg | SetSilenceLimit, now: float) -> None:
        slot = self._legs.slot_of.get(command.leg, -1)
        if slot < 0:
            return
        if isinstance(command, ConditionLeg):
            return self._parts.conditioner.set_leg(slot, command)
        self._legs.silence_limit[slot] = max(0.0, command.seconds)
        self._legs.silent_told[slot] = False
        self._legs.last_packet[slot] = now
