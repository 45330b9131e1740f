"""Scenes for the console's page: conferences and people as the console's API has them, made up."""

from itertools import count
from random import Random
from typing import Any

NOW_MS = 1_795_335_351_000
"""The scripted server's time: it stands still, so that pictures are alike."""
LINE = {"number": "1000", "name": "Quarterly town hall", "pin": True}

_FIRST = [
    "Amara",
    "Beatriz",
    "Chidi",
    "Dorota",
    "Elif",
    "Farid",
    "Greta",
    "Hiroshi",
    "Ines",
    "Jonas",
    "Katya",
    "Lukas",
    "Mireille",
    "Nadia",
    "Oskar",
    "Priya",
    "Quentin",
    "Rosa",
    "Sofía",
    "Tomasz",
    "Ursula",
    "Viktor",
    "Wen",
    "Ximena",
    "Yusuf",
    "Zoë",
]
_LAST = [
    "Adeyemi",
    "Brandt",
    "Costa",
    "Dvořák",
    "Eriksen",
    "Fontaine",
    "García",
    "Hoffmann",
    "Iversen",
    "Jansen",
    "Kowalska",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "Okafor",
    "Petrov",
    "Quist",
    "Rahman",
    "Schmidt",
    "Tanaka",
    "Uzun",
    "Varga",
    "Weber",
    "Xu",
    "Yilmaz",
    "Zeller",
]

_numbers = count(1)


def sid(prefix: str, number: int) -> str:
    return f"{prefix}{number:032x}"


def person(number: int, name: str | None, role: str = "listener", /, **changed: Any) -> dict[str, Any]:
    """A participant; quiet, or muted when a listener, unless `changed` says else."""
    muted = changed.get("muted", role == "listener")
    made = {
        "call_sid": sid("CA", number),
        "name": name,
        "number": f"+1555{number:07d}",
        "label": None,
        "kind": "phone",
        "role": role,
        "state": "muted" if muted else "quiet",
        "muted": muted,
        "hold": False,
        "coaching": None,
        "speaking": False,
        "joined_at_ms": NOW_MS - 751_000 + number * 900,
        "talk_ms": 0,
        "speaking_since_ms": None,
    }
    if changed.get("state") == "talking":
        made |= {"speaking": True, "speaking_since_ms": NOW_MS - 12_000, "talk_ms": 61_000}
    return made | changed


def conference(people: list[dict[str, Any]], number: int = 1, **changed: Any) -> dict[str, Any]:
    """A live conference with these people, begun twelve and a half minutes ago."""
    counts = {role: sum(p["role"] == role for p in people) for role in ("moderator", "speaker", "listener")}
    ringing = sum(p["state"] == "ringing" for p in people)
    return {
        "sid": sid("CF", number),
        "name": "Quarterly town hall",
        "lines": ["1000"],
        "state": "live",
        "waiting_for": None,
        "created_at_ms": NOW_MS - 790_000,
        "started_at_ms": NOW_MS - 751_000,
        "ended_at_ms": None,
        "ended_by": None,
        "locked": False,
        "muted_all": False,
        "counts": {**counts, "ringing": ringing, "total": len(people) - ringing},
        "peak": len(people),
        "attended": len(people) + 3,
        "recording": None,
        "participants": people,
        "entries": [],
    } | changed


def entry(number: int, kind: str, text: str, **changed: Any) -> dict[str, Any]:
    made = {"id": number, "at_ms": NOW_MS - 752_000 + number * 900, "kind": kind, "text": text}
    return made | {"by": None, "call_sids": [], "action": None} | changed


def crowd(size: int) -> list[dict[str, Any]]:
    """A moderator or two, some speakers, listeners for the rest; three of them in the middle of something."""
    chance = Random(size)
    names = [f"{first} {last}" for last in _LAST for first in _FIRST]
    chance.shuffle(names)
    people = [
        person(1, "Anna Schmidt", "moderator", kind="browser", state="talking"),
        person(2, "Ben Okafor", "moderator") if size > 5 else person(2, "Ben Okafor", "speaker"),
    ]
    speakers = 1 if size <= 5 else max(8, size // 120)
    for number in range(3, size + 1):
        role = "speaker" if number <= 2 + speakers and size > 5 else "listener"
        name = names[number % len(names)] if number % 7 else None
        people.append(person(number, name, role))
    if size > 5:
        people[3] |= {
            "state": "talking",
            "speaking": True,
            "speaking_since_ms": NOW_MS - 4_000,
            "talk_ms": 95_000,
        }
        people[4] |= {"state": "muted", "muted": True, "talk_ms": 21_000}
        people[5] |= {"state": "hold", "hold": True}
        people[1] |= {"state": "coaching", "coaching": people[6]["call_sid"]}
        people[7] |= {"state": "ringing", "label": "Dr. Okonkwo-Featherstonehaugh", "kind": "guest"}
        people[8] |= {
            "state": "talking",
            "speaking": True,
            "speaking_since_ms": NOW_MS - 41_000,
            "talk_ms": 3_000,
        }
    return people


def happenings(people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Some minutes of an event feed."""
    entries = [
        entry(1, "joined", f"{_called(people[0])} came in as moderator"),
        entry(2, "started", "The conference began"),
    ]
    for other in people[1:40]:
        entries.append(entry(len(entries) + 1, "joined", f"{_called(other)} came in"))
    acts = [
        (
            "action",
            "Anna Schmidt muted everybody but moderators",
            {"by": "Anna Schmidt", "action": "mute-all"},
        ),
        ("action", "Anna Schmidt released everybody", {"by": "Anna Schmidt", "action": "release-all"}),
        ("recording", "Recording began", {}),
        ("left", f"{_called(people[-1])} left", {}),
        ("action", f"Ben Okafor unmuted {_called(people[2])}", {"by": "Ben Okafor", "action": "unmute"}),
        ("announcement", "Announced: “We take questions in five minutes.”", {}),
    ]
    for kind, text, more in acts:
        at_ms = NOW_MS - 300_000 + (len(entries) - 41) * 47_000
        entries.append(entry(len(entries) + 1, kind, text, **more) | {"at_ms": at_ms})
    return entries


def timeline(people: list[dict[str, Any]], most: int = 9) -> dict[str, Any]:
    """Twelve minutes of talk in which people take turns."""
    chance = Random(7)
    talkers = [p for p in people if p["role"] != "listener" and p["state"] != "ringing"][:most] or people[:2]
    spans: dict[str, list[list[int | None]]] = {p["call_sid"]: [] for p in talkers}
    at = NOW_MS - 745_000
    while at < NOW_MS - 60_000:
        speaker = talkers[0] if chance.random() < 0.4 else chance.choice(talkers)
        until = at + int(chance.expovariate(1 / 14_000)) + 900
        spans[speaker["call_sid"]].append([at, min(until, NOW_MS - 55_000)])
        at = until + chance.randrange(-600, 2_500)
    for speaker in talkers:
        if speaker["speaking"]:
            spans[speaker["call_sid"]].append([speaker["speaking_since_ms"], None])
    lanes = [
        {key: p[key] for key in ("call_sid", "name", "number", "role")}
        | {"talk_ms": 0, "present": [[p["joined_at_ms"], None]], "spans": sorted(spans[p["call_sid"]])}
        for p in talkers
        if spans[p["call_sid"]]
    ]
    return {"now_ms": NOW_MS, "from_ms": NOW_MS - 751_000, "to_ms": NOW_MS, "lanes": lanes}


def attendance(people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One stay for each."""
    rows = []
    for p in people:
        row = {key: p[key] for key in ("call_sid", "name", "number", "role", "joined_at_ms", "talk_ms")}
        rows.append(row | {"left_at_ms": NOW_MS, "stay_ms": NOW_MS - p["joined_at_ms"], "left_by": "end"})
    return rows


def recording(number: int = 1, **changed: Any) -> dict[str, Any]:
    base = f"/console/conferences/{sid('CF', 1)}/recordings/{sid('RE', number)}"
    return {
        "sid": sid("RE", number),
        "status": "completed",
        "since_ms": NOW_MS - 700_000,
        "duration_ms": 612_000,
        "channels": 1,
        "mp3": f"{base}.mp3",
        "wav": f"{base}.wav",
    } | changed


def _called(someone: dict[str, Any]) -> str:
    return str(someone["label"] or someone["name"] or someone["number"])
