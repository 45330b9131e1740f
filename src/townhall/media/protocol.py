"""What control and media processes say to each other over their Unix socket.

Commands go down, events come up; each is one msgspec struct, MessagePack-encoded with a `type` tag and
framed by a four-byte big-endian length. No audio crosses the socket: a clip is named by the path of its
file, which the media process's loader thread reads.

A *leg* is one call's media and is numbered by the control process (never reused while the media process
lives). A *bus* is a mix, named by its conference's SID; it exists while a leg is attached to it. A *clip*
is a mono 16-bit WAV file at 8000 or 16000 Hz. A *play* is one run of clips to a leg or bus, numbered by
the control process.
"""

from typing import Literal

import msgspec

Address = tuple[str, int]
"""Numeric IP address (v4 or v6) and UDP port."""

Codec = Literal["PCMU", "PCMA", "G722", "opus"]
DigitSource = Literal["rfc4733", "inband"]

TICK_EDGES_MS = tuple(20 * 2 ** (step / 8) for step in range(-48, 25))
"""From 0.3 to 160 ms, each 9 % above the one before; 20 ms is one of them."""


class Message(msgspec.Struct, frozen=True, tag_field="type", tag=True):
    """Base of every command and event."""


# ---- commands
# -----------------------------------------------------------------------------------------------------


class OpenLeg(Message, frozen=True):
    """Reserve a local RTP port for a leg; answered by `LegOpened` or `LegRefused`.

    `remote` is where the peer's SDP says its media comes from, if it is known yet. `may_latch` says that
    packets may come from elsewhere (NAT), so the port must have no other leg that has yet to latch.
    """

    leg: int
    remote: Address | None = None
    may_latch: bool = True
    ip_version: Literal[4, 6] = 4
    host: str | None = None
    """Which of the process's bind hosts; None: any of that IP version."""
    latch_from: str | None = None
    """The only host whose packets it may latch on to; None: anybody's."""
    secure: bool = False
    """A browser's leg (ICE, DTLS-SRTP): it shares one port with all of them, and `SecureLeg` follows;
    `remote` and what is said of latching count for nothing.
    """


class SecureLeg(Message, frozen=True):
    """What offer and answer said of a secure leg's transport (RFC 8445, RFC 5763); sent again for an ICE
    restart.

    Packets are taken from, and sent to, only the pair that ICE has verified; `LegSecured` tells when DTLS is
    through. In a restart the old credentials serve until the new pair is nominated; another fingerprint means
    another DTLS association.
    """

    leg: int
    local_ufrag: str
    local_pwd: str
    remote_ufrag: str
    remote_pwd: str
    fingerprint: str
    """The peer's certificate's, `sha-256 AB:CD:…`, as in `a=fingerprint` (RFC 8122)."""
    role: Literal["client", "server"]
    """Ours in DTLS: `server` when we are `a=setup:passive`."""


class ConnectLeg(Message, frozen=True):
    """What offer and answer agreed on; sent again after every renegotiation. Starts the leg's sending."""

    leg: int
    codec: Codec
    payload_type: int
    remote: Address | None
    """None for a secure leg."""
    remote_rtcp: Address | None = None
    rtcp_mux: bool = False
    ptime_ms: int = 20
    telephone_event: int | None = None
    """Payload type of RFC 4733 events in both directions; None: listen for in-band digits instead."""
    telephone_event_rate: int = 0
    """Clock that the events' durations count in, Hz; 0: the codec's own (Opus: 48000)."""
    send: bool = True
    receive: bool = True
    wanted: bool = True
    """The peer's SIP comes from `remote`, so it wants packets there; else the leg must hear from it before
    long.
    """
    max_bitrate: int | None = None
    """Opus: the most bit/s that the peer wants (`maxaveragebitrate`, RFC 7587); None: ours to choose."""
    in_band_fec: bool = False
    """Opus: the peer's decoder uses in-band FEC (`useinbandfec`)."""


class CloseLeg(Message, frozen=True):
    leg: int


class SetMix(Message, frozen=True):
    """A leg's place in a bus. `bus=None` takes it out of any.

    `hears`: it receives the bus's sum minus itself. `heard`: it is in the sum. `whisper_to`: its audio is
    added for that one leg alone (a coach). A leg with a running play hears the play instead of its bus.
    """

    leg: int
    bus: str | None = None
    hears: bool = False
    heard: bool = False
    whisper_to: int | None = None


class Play(Message, frozen=True):
    """Play clips, one after the other, to one leg; replaces what was playing there.

    `loops`: how often the whole list runs; 0 means until stopped. Ends with `PlayFinished`.
    """

    leg: int
    play: int
    clips: list[str]
    loops: int = 1


class StopPlay(Message, frozen=True):
    """Silence a play at once; `PlayFinished` says `stopped`. Does nothing when that play is over already.

    `leg` is 0 for a play to a bus.
    """

    leg: int
    play: int


class PlayToBus(Message, frozen=True):
    """Mix a clip once into a bus (beeps, announcements). `owner`: a leg that does not hear it, the one who
    beeps in.
    """

    bus: str
    play: int
    clips: list[str]
    owner: int | None = None
    skip: int = 0
    """Samples at its beginning that are left out: another process began to play it so long ago."""


class SendDigits(Message, frozen=True):
    """Send digits `0-9 A-D * #`, `w` (0.5 s) and `W` (1 s), as RFC 4733 events where negotiated, else as
    tones.
    """

    leg: int
    play: int
    digits: str


class ConditionLeg(Message, frozen=True):
    """What is done to a leg's voice before it is mixed; None: what the settings say."""

    leg: int
    auto_gain: bool | None = None
    hold_guard: bool | None = None
    """Silence it when it sends hold music. Switching it off lets a leg be heard that is silenced now."""
    noise_suppression: bool | None = None


class SetSilenceLimit(Message, frozen=True):
    """Seconds without any packet after which `LegSilent` is sent; 0 turns it off (a peer on hold sends
    nothing).
    """

    leg: int
    seconds: float


class WatchLevels(Message, frozen=True):
    """Tell the `Levels` of a bus's talkers until told otherwise."""

    bus: str
    on: bool


class StartRecorder(Message, frozen=True):
    """Write WAV files (16 bit, 8000 Hz) from the next tick on; `RecorderEnded` tells how it went.

    `bus`: the bus's sum, music and whispers not being in it; with two channels, the first is the voice of
    `leg` and the second everybody else's. `talkers`: a mono file for each leg that is in the bus's sum, in
    the directory `path`, beginning when it is first heard (`TalkerRecorded`). `leg`: what it says
    (`inbound`), what it hears (`outbound`), both mixed, or both with a channel each.
    """

    recorder: int
    path: str
    kind: Literal["bus", "talkers", "leg"]
    bus: str | None = None
    leg: int | None = None
    track: Literal["inbound", "outbound", "both"] = "both"
    channels: Literal[1, 2] = 1
    speech: bool = False
    """Tell of the leg's speech, though it is in no bus."""
    limit_s: float = 0.0
    """Ends by itself when it is so long; 0: never."""
    numbered_from: int = 1
    """Of the first talker's file: several processes that record the same talkers number apart."""


class PauseRecorder(Message, frozen=True):
    """`silence`: the time until it goes on is silence in the file; `skip`: it is left out."""

    recorder: int
    behaviour: Literal["skip", "silence"] = "silence"


class ResumeRecorder(Message, frozen=True):
    recorder: int


class StopRecorder(Message, frozen=True):
    recorder: int


class ShareBus(Message, frozen=True):
    """This bus has legs in other processes too: its sum is exchanged in a row of the shared memory.

    It exists as long as it is shared, with or without a leg here. `row` None: it is shared no more.
    """

    bus: str
    row: int | None


class ShareVoice(Message, frozen=True):
    """This leg whispers to one in another process: its voice goes into a row. None: no more."""

    leg: int
    row: int | None


class AddVoice(Message, frozen=True):
    """Add the voice in a row to what a leg hears, as long as it hears this bus. None: no more."""

    leg: int
    row: int
    bus: str | None


class Shutdown(Message, frozen=True):
    pass


Command = (
    OpenLeg
    | SecureLeg
    | ConnectLeg
    | CloseLeg
    | SetMix
    | Play
    | StopPlay
    | PlayToBus
    | SendDigits
    | ConditionLeg
    | SetSilenceLimit
    | WatchLevels
    | StartRecorder
    | PauseRecorder
    | ResumeRecorder
    | StopRecorder
    | ShareBus
    | ShareVoice
    | AddVoice
    | Shutdown
)


# ---- events
# -------------------------------------------------------------------------------------------------------


class Ready(Message, frozen=True):
    """The media process takes legs; `ports` are its RTP ports, RTCP on each plus one."""

    ports: list[int]
    ice_port: int = 0
    """The one UDP port of all secure legs; 0: none."""
    fingerprint: str = ""
    """Of the process's certificate, `sha-256 AB:CD:…`."""
    opus: bool = True
    """There is a libopus; without one, a leg that is connected with Opus neither sends nor receives."""


class LegOpened(Message, frozen=True):
    leg: int
    rtp_port: int
    rtcp_port: int
    host: str = ""
    """The bind host the port belongs to; may be unspecified (`0.0.0.0`)."""


class LegSecured(Message, frozen=True):
    """DTLS is through and the fingerprint fits: sound may flow both ways."""

    leg: int


class LegInsecure(Message, frozen=True):
    """The leg will carry no sound: a wrong fingerprint, a DTLS alert, no common SRTP profile."""

    leg: int
    reason: str


class LegLeft(Message, frozen=True):
    """The browser has closed its side (a DTLS close_notify): nothing more will come."""

    leg: int


class LegRefused(Message, frozen=True):
    """No leg now: the tick budget is nearly used, or every port has a leg yet to latch. SIP says 503."""

    leg: int
    reason: str


class DigitPressed(Message, frozen=True):
    """One press of one key, reported once, at its beginning."""

    leg: int
    digit: str
    source: DigitSource


class PlayFinished(Message, frozen=True):
    """`detail` explains `failed`: which clip, what was wrong with it."""

    play: int
    leg: int | None
    outcome: Literal["finished", "stopped", "failed"]
    detail: str = ""


class LegSilent(Message, frozen=True):
    leg: int
    seconds: float


class LegHeld(Message, frozen=True):
    """A talker sends nothing but music or a constant tone, as one does who has put us on hold. Nobody hears
    it until `LegResumed`, or until it is taken out of the sum and put in again.
    """

    leg: int
    sound: Literal["music", "tone"]


class LegResumed(Message, frozen=True):
    """A leg that was held speaks again, or has fallen silent."""

    leg: int


class SpeechStarted(Message, frozen=True):
    leg: int


class SpeechStopped(Message, frozen=True):
    leg: int


class Levels(Message, frozen=True):
    """Ten times a second for each bus that is watched: how loud its talkers were since the last time."""

    bus: str
    legs: list[int]
    dbov: list[int]
    """RMS in dB below overload (RFC 6464): 0 is loudest, 127 silence; as long as `legs`."""


class TalkerRecorded(Message, frozen=True):
    """A recorder of talkers has begun the file of one more leg, `first` samples after its own beginning."""

    recorder: int
    leg: int
    path: str
    first: int


class RecordedTalker(msgspec.Struct, frozen=True):
    """One file of a recorder of talkers."""

    leg: int
    path: str
    first: int
    samples: int


class RecorderEnded(Message, frozen=True):
    """A recorder's files are closed. `samples` is its length (per channel).

    `finished`: stopped, or its leg was closed; `limit`: as long as it may be; `failed`: a file could not be
    written, `detail` says why; what was written before plays. `lost`: samples that are silence because the
    disk was too slow.
    """

    recorder: int
    outcome: Literal["finished", "limit", "failed"]
    samples: int
    lost: int = 0
    talkers: list[RecordedTalker] = []
    talkers_left_out: int = 0
    detail: str = ""


class LegClosed(Message, frozen=True):
    """The leg's last figures."""

    leg: int
    packets_received: int
    packets_sent: int
    packets_lost: int
    packets_dropped: int
    jitter_ms: float


class Stats(Message, frozen=True):
    """The worker's second in figures, sent once a second."""

    legs: int
    ticks: int
    tick_p50_ms: float
    tick_p99_ms: float
    tick_max_ms: float
    ticks_late: int
    """Ticks that began more than 20 ms after their time."""
    packets_received: int
    packets_sent: int
    unknown_source: int
    """Packets dropped because no leg expects their source."""
    malformed: int
    cpu_s: float
    """CPU time of the whole process since its start, seconds."""
    refusal: str = ""
    """Why it takes no more legs; empty while it does."""
    processes: int = 1
    """How many media processes these are the figures of."""
    tick_counts: list[int] = []
    """All ticks since the start, counted by how long they took: up to `TICK_EDGES_MS[0]`, up to
    `TICK_EDGES_MS[1]` and so on, and last those that took longer than all of these.
    """


Event = (
    Ready
    | LegOpened
    | LegRefused
    | LegSecured
    | LegInsecure
    | LegLeft
    | DigitPressed
    | PlayFinished
    | LegSilent
    | LegHeld
    | LegResumed
    | SpeechStarted
    | SpeechStopped
    | Levels
    | TalkerRecorded
    | RecorderEnded
    | LegClosed
    | Stats
)
