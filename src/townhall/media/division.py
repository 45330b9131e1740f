"""What belongs to all processes of a pool: its settings divided among them, their figures summed."""

from collections.abc import Sequence

import msgspec

from townhall.media.leg import MediaError
from townhall.media.protocol import Stats
from townhall.media.settings import MediaSettings


def divided(settings: MediaSettings, workers: int) -> list[MediaSettings]:
    """The settings of each process: a part of the RTP ports, and a port of its own for browsers, one after
    the other from `ice_port` on. Raises `MediaError` when there are too few ports.
    """
    first, last = settings.rtp_ports
    pairs = (last - first + 1) // 2
    if settings.rtp_ports != (0, 0) and pairs < workers:
        raise MediaError(
            f"TOWNHALL_RTP_PORTS has {pairs} pairs of ports and TOWNHALL_MEDIA_WORKERS is {workers}; "
            "every media process needs a pair at least"
        )
    shares = []
    for index in range(workers):
        begin, end = (first + 2 * (pairs * place // workers) for place in (index, index + 1))
        changes: dict[str, object] = {"worker": index, "workers": workers}
        if settings.rtp_ports != (0, 0):
            changes["rtp_ports"] = (begin, end - 1)
        if settings.ice_port:
            changes["ice_port"] = settings.ice_port + index
        shares.append(msgspec.structs.replace(settings, **changes))
    return shares


def summed(stats: Sequence[Stats]) -> Stats | None:
    """The figures of all processes together: times are those of the slowest. No legs are taken only when
    none of them takes any. None when there are no figures yet.
    """
    if not stats:
        return None
    every = [each.refusal for each in stats]
    whole = {
        name: sum(getattr(each, name) for each in stats)
        for name in (
            "legs",
            "ticks",
            "ticks_late",
            "packets_received",
            "packets_sent",
            "unknown_source",
            "malformed",
            "cpu_s",
            "processes",
        )
    }
    worst = {
        name: max(getattr(each, name) for each in stats)
        for name in ("tick_p50_ms", "tick_p99_ms", "tick_max_ms")
    }
    counts = [sum(column) for column in zip(*(each.tick_counts for each in stats), strict=False)]
    refusal = every[0] if all(every) else ""
    return msgspec.structs.replace(stats[0], **whole, **worst, tick_counts=counts, refusal=refusal)
