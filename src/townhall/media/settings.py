"""What a media process is started with."""

import msgspec


class MediaSettings(msgspec.Struct, frozen=True):
    """Sent to the child on its command line, as JSON."""

    bind_hosts: tuple[str, ...] = ("127.0.0.1",)
    """Numeric addresses; every one gets a socket on every port. `0.0.0.0` and `::` are allowed."""

    rtp_ports: tuple[int, int] = (20000, 20063)
    """First and last UDP port: RTP on the even ones, RTCP on the odd ones. (0, 0): 32 pairs of the
    system's choice.
    """

    ports: tuple[int, ...] = ()
    """Exactly these RTP ports instead of the range: how a restarted process finds its ports again."""

    ice_port: int | None = 0
    """The UDP port of all browsers, on every bind host. 0: of the system's choice; None: no browsers."""

    certificate: str = ""
    """Path of the certificate that browsers know us by, made when there is none; empty: a fresh one in
    memory.
    """

    max_legs: int = 4096
    busy_share: float = 0.8
    """New legs are refused when 99 % of ticks take up to this share of their 20 ms, or more."""

    silence_limit_s: float = 30.0
    clip_bytes: int = 64_000_000
    """Room for clips encoded in G.711, bytes; a second of audio takes 16,000 (both laws). As many seconds fit
    in Opus; these take memory, another 8,000 bytes each, only when a browser hears them.
    """

    opus_library: str = ""
    """Path of libopus; empty: that of the `opuslib-next-bundled` package, else the system's."""

    real_time: bool = True
    """Ask the system for real-time scheduling; goes on without when refused."""

    auto_gain: bool = True
    """Bring quiet and loud talkers to one level."""

    noise_suppression: bool = False
    """Turn down what is steady behind the talkers' voices, which delays them by 12 ms."""

    speech_pause_ms: int = 600
    """A pause of that length ends somebody's speech."""

    hold_music_s: float = 0.0
    """Music or a constant tone from a talker for about so long silences him; 0: never."""

    loudest_talkers: int = 0
    """So many talkers of a bus are heard at once, the loudest; 0: all."""

    workers: int = 1
    """How many media processes share a memory (`exchange`)."""

    worker: int = 0
    """Which of them this one is."""

    memory: int = -1
    """Descriptor of the memory; -1: none, with one process."""

    memory_rows: int = 0
