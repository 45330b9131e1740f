"""What can be set, and how much of everything there may be."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what strangers can make us keep. Times are seconds; where not said, counts of things."""

    sockets: int = 5000
    sockets_per_source: int = 1000
    """A proxy in front of us, or a company behind one address, is one source."""
    unlistened: int = 500
    """Sockets that have not shown a valid token yet."""
    unlistened_per_source: int = 100
    listen_within_s: float = 10.0
    frame_size: int = 65_536
    """Bytes of one frame. A browser's offer has 2 to 10 kB."""
    frames_per_second: float = 20.0
    frame_burst: int = 100
    """A page that comes back sends all at once that it wanted to say meanwhile."""
    complaints: int = 20
    """Messages of one socket that made no sense, before it is closed."""
    goodbye_s: float = 2.0
    """How long a page may take to read what it is told at the end."""
    waiting_frames: int = 256
    """Frames to a page that does not read them."""
    calls_per_socket: int = 8
    invites_per_minute: int = 30
    """Of one socket; ICE restarts and calls that are taken up again count as well."""
    pending_invites: int = 500
    """Calls from all pages that have not been answered or refused yet."""
    pending_invites_per_source: int = 100
    devices_rung: int = 10
    """Sockets that are rung for one call, those that registered last (Twilio's number)."""


@dataclass(frozen=True, slots=True)
class VoiceSDKSettings:
    """How pages are spoken with.

    `edge` and `region` are what a page is told that it is connected to, where its address does not say it.
    `home` is where the SDK sends its statistics: empty means here, as far as the page's address allows it;
    None means Twilio, which gets to see tokens and call SIDs.
    """

    edge: str = "townhall"
    region: str = "townhall"
    home: str | None = ""
    grace_s: float = 25.0
    """How long a call lives on without its socket. The SDK's seventh attempt to come back is at about 13 s.
    """
    alone_s: float = 10.0
    """How long it rings on when the last page's socket is gone: pages that are loaded anew come back."""
    heartbeat_s: float = 5.0
    """The SDK gives a socket up that is silent for 15 s."""
    silence_s: float = 20.0
    """Without a word for so long, not even in answer to a heartbeat, a page is gone."""
    renewal_s: float = 60.0
    """How long a socket without calls stays open with an expired token, waiting for another."""
    limits: Limits = field(default_factory=Limits)
