"""Session-Expires (RFC 4028 section 4)."""

from __future__ import annotations

from dataclasses import dataclass

from townhall.sip.grammar import Parameters, read_number


@dataclass(frozen=True, slots=True)
class SessionExpires:
    """`delta_s` is the session interval; `refresher` is "uac", "uas", or None when it is left to the UAS."""

    delta_s: int
    refresher: str | None = None

    @classmethod
    def parse(cls, text: str) -> SessionExpires:
        delta, _, rest = text.partition(";")
        refresher = (Parameters.parse(rest).get("refresher") or "").lower()
        return cls(
            read_number(delta, 2**32 - 1, "Session-Expires"),
            refresher if refresher in ("uac", "uas") else None,
        )

    def __str__(self) -> str:
        return f"{self.delta_s};refresher={self.refresher}" if self.refresher else str(self.delta_s)
