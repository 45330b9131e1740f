"""One participant as the rules see him: his flags, which hold in every state, and nothing of his call's
media.
"""

from dataclasses import dataclass, replace

from townhall.conference.events import ParticipantChanged, ParticipantJoined, Sound


@dataclass(frozen=True, slots=True)
class Participant:
    call_sid: str
    joined_at: float
    """Monotonic seconds."""
    label: str | None = None
    muted: bool = False
    held_with: Sound | None = None
    """He is muted because his telephone plays this; nobody has muted or unmuted him since."""
    hold: bool = False
    coaching: bool = False
    coach: str | None = None
    """Call SID of the one he coaches. It stays when that one leaves; he is then heard by nobody."""
    beep_on_enter: bool = True
    beep_on_exit: bool = True
    start_conference_on_enter: bool = True
    end_conference_on_exit: bool = False
    speaking: bool = False
    """He is speaking and heard; never true of one who is muted, waiting or on hold."""

    @classmethod
    def joining(cls, event: ParticipantJoined, now: float) -> "Participant":
        settings = event.settings
        return cls(
            call_sid=event.call_sid,
            joined_at=now,
            label=settings.label or None,
            muted=settings.muted,
            coaching=bool(settings.coach),
            coach=settings.coach or None,
            beep_on_enter=settings.beep_on_enter,
            beep_on_exit=settings.beep_on_exit,
            start_conference_on_enter=settings.start_conference_on_enter,
            end_conference_on_exit=settings.end_conference_on_exit,
        )

    def changed(self, event: ParticipantChanged) -> "Participant":
        """This participant with the values that the event names."""
        coach = self.coach if event.coach is None else event.coach or None
        return replace(
            self,
            muted=_either(event.muted, self.muted),
            held_with=self.held_with if event.muted is None else None,
            hold=_either(event.hold, self.hold),
            coach=coach,
            coaching=coach is not None,
            end_conference_on_exit=_either(event.end_conference_on_exit, self.end_conference_on_exit),
            beep_on_exit=_either(event.beep_on_exit, self.beep_on_exit),
        )


def _either(new: bool | None, old: bool) -> bool:
    return old if new is None else new
