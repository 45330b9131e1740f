"""Who was there, from when to when: one row for each stay, also as CSV (RFC 4180). No I/O."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

from townhall.console.room import Room

COLUMNS = (
    "name",
    "number",
    "role",
    "joined (UTC)",
    "left (UTC)",
    "seconds",
    "seconds talked",
    "left by",
    "call",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet takes for a formula (OWASP, "CSV Injection")."""


def rows(room: Room, now_ms: int) -> list[dict[str, Any]]:
    """By arrival. A stay that is not over has no `left_at_ms`, and lasts until now."""
    found: list[dict[str, Any]] = []
    for person in room.people.values():
        for stay in person.stays:
            left_at_ms = stay.left_at_ms
            talk_ms = stay.talk_ms
            if left_at_ms is None and person.speaking_since_ms is not None:
                talk_ms += max(0, now_ms - person.speaking_since_ms)
            until_ms = now_ms if left_at_ms is None else left_at_ms
            found.append(
                {
                    "call_sid": person.call_sid,
                    "name": person.name or person.label or None,
                    "number": person.number or None,
                    "role": person.role,
                    "joined_at_ms": stay.joined_at_ms,
                    "left_at_ms": left_at_ms,
                    "stay_ms": max(0, until_ms - stay.joined_at_ms),
                    "talk_ms": talk_ms,
                    "left_by": stay.left_by or None,
                }
            )
    return sorted(found, key=lambda row: row["joined_at_ms"])


def table(room: Room, now_ms: int) -> str:
    """The rows as CSV text, with a header."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows(room, now_ms):
        writer.writerow(
            (
                cell(row["name"]),
                cell(row["number"]),
                row["role"],
                iso(row["joined_at_ms"]),
                iso(row["left_at_ms"]),
                row["stay_ms"] // 1000,
                row["talk_ms"] // 1000,
                cell(row["left_by"]),
                cell(row["call_sid"]),
            )
        )
    return out.getvalue()


def cell(text: str | None) -> str:
    """A text from outside, as a spreadsheet shows it and does not run it. Numbers such as +1 555 0100 too:
    the apostrophe is not shown.
    """
    if not text:
        return ""
    return f"'{text}" if text.startswith(_FORMULA) else text


def iso(at_ms: int | None) -> str:
    return "" if at_ms is None else datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
