"""What the engine works with, made once and shared by those who carry out commands and by the tick."""

from collections.abc import Sequence

from townhall.media.buses import Buses
from townhall.media.clips import ClipStore
from townhall.media.conditioning import Conditioner
from townhall.media.digits import DigitSender
from townhall.media.forms import Form
from townhall.media.legs import Legs
from townhall.media.level_meters import LevelMeters
from townhall.media.mixer import Mixer
from townhall.media.network import LocalPort, Network
from townhall.media.notices import Notices
from townhall.media.players import Players
from townhall.media.proof import Proof
from townhall.media.protocol import Event
from townhall.media.receiver import Receiver
from townhall.media.recorders import Recorders
from townhall.media.reports import Reports
from townhall.media.sender import Sender
from townhall.media.sent import SentVoices
from townhall.media.settings import MediaSettings
from townhall.media.shapes import Outgoing
from townhall.media.shared_buses import shared_buses
from townhall.media.uplinks import Uplinks
from townhall.media.wide_table import WideTable


class Parts:
    """All parts of one engine, and the few things that belong to none of them."""

    def __init__(self, settings: MediaSettings, local: Sequence[LocalPort], seed: int) -> None:
        self.settings = settings
        self.events: list[Event] = []
        self.dirty = True
        """Something has changed that the plan depends on."""
        self.refusal = ""
        """Why new legs are refused just now; empty when they are welcome."""
        self.ticks = 0
        """Since the beginning, missed ones included."""
        self.beat = 0
        """Number of this tick on the grid that all media processes of the machine share."""
        self.wallclock = 0.0
        self.goodbyes: list[Outgoing] = []
        """RTCP of the legs that have closed since the last tick."""

        emit = self.events.append
        self.legs = Legs(settings.max_legs)
        self.network = Network(self.legs, local)
        self.buses = Buses(settings.max_legs)
        self.uplinks = Uplinks(self.legs, settings.opus_library)
        self.receiver = Receiver(self.legs, self.network, self.uplinks, emit)
        self.reports = Reports(self.legs, self.network, self.receiver.sources, len(local), seed)
        self.proof = Proof(self.legs)
        self.clips = ClipStore(settings.clip_bytes, settings.opus_library)
        self.players = Players(self.clips, emit)
        self.digits = DigitSender(self.legs, settings.opus_library)
        self.mixer = Mixer(settings.max_legs, self.buses.rows)
        self.wide: WideTable | None = None
        """Of wide legs; made when the first one comes."""
        self.sender = Sender(self.legs)
        self.sent = SentVoices(self.legs)
        self.recorders = Recorders(self.legs, emit)
        self.levels = LevelMeters(settings.max_legs)
        self.notices = Notices(self.legs, emit)
        self.conditioner = Conditioner(self.legs, settings, emit)
        self.shared = shared_buses(settings, self.legs, self.buses)
        """None: this is the only media process."""

    def start_wide(self, form: Form) -> None:
        """Be ready for legs of this form. Raises `OpusMissing`."""
        library = self.uplinks.start_wide(form)
        if self.wide is None:
            self.wide = WideTable(library, self.legs.capacity, self.buses.rows)

    def drop_ended_plays(self) -> None:
        """Legs whose play is over hear their bus again."""
        if not self.players.changed:
            return
        self.players.changed = False
        self.dirty = True
        for record in self.players.take_ended():
            if record.slot >= 0 and self.legs.number[record.slot] == record.leg:
                self.legs.play[record.slot] = -1
        self.buses.keep_plays(self.players.records)

    def part_from_bus(self, bus: int) -> None:
        """A leg has left this bus (-1: none); with the last one, what is played into it ends."""
        if bus >= 0 and self.buses.part(bus):
            for row in self.buses.plays_of(bus):
                self.players.stop(row)
