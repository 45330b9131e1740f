"""What numbers, lines and whatever else is set up may be; a refusal says what was read and what would do."""

import re
from urllib.parse import urlsplit

from townhall.store.errors import StoreError
from townhall.store.records import Line, Number, RecordingRecord
from townhall.store.resources import APIKey, Application, QueueRecord, Trunk

_NUMBER = re.compile(r"[A-Za-z0-9+*#._-]{1,64}")
_PIN = re.compile(r"[0-9]{4,12}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_CONFERENCE_SID = re.compile(r"CF[0-9a-f]{32}", re.IGNORECASE)
MOST_PARTICIPANTS = 250
"""Twilio's limit for maxParticipants."""
LONGEST_WELCOME = 4096
"""Twilio's limit for the text of `<Say>`."""


LONGEST_NAME = 64
"""Twilio's limit for friendly names of numbers, applications, keys and queues."""
LARGEST_QUEUE = 5000
UNFINISHED_RECORDING = ("in-progress", "paused", "stopped", "processing")
RECORDING_STATUSES = (*UNFINISHED_RECORDING, "completed", "absent", "deleted")
_APPLICATION_SID = re.compile(r"AP[0-9a-f]{32}")
_COUNTRY = re.compile(r"\+[1-9][0-9]{0,6}")
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")


def check_number(number: Number) -> None:
    """Raises `StoreError` when a value cannot be used. Without a voice URL it needs an application, or takes
    no calls.
    """
    _check_dialable(number.number)
    _check_name("friendly name", number.friendly_name)
    _check_webhooks(number)
    application = number.voice_application_sid
    fits = application is None or bool(_APPLICATION_SID.fullmatch(application))
    _require(fits, "application", application, "an Application SID, AP and 32 hexadecimal digits")


def check_application(application: Application) -> None:
    """Raises `StoreError` when a value cannot be used."""
    _check_name("friendly name", application.friendly_name)
    _check_webhooks(application)


def check_queue(queue: QueueRecord) -> None:
    """Raises `StoreError` when a value cannot be used."""
    _check_name("queue's name", queue.friendly_name)
    _require(bool(queue.friendly_name), "queue's name", queue.friendly_name, "1 to 64 characters")
    size = queue.max_size
    _require(1 <= size <= LARGEST_QUEUE, "size of a queue", size, f"1 to {LARGEST_QUEUE}")


def check_api_key(key: APIKey) -> None:
    """Raises `StoreError` when a value cannot be used."""
    _check_name("friendly name", key.friendly_name)
    _require(key.kind in ("standard", "main"), "kind of a key", key.kind, "standard or main")


def check_recording(recording: RecordingRecord) -> None:
    """Raises `StoreError` when a value cannot be used."""
    allowed = ", ".join(RECORDING_STATUSES)
    _require(recording.status in RECORDING_STATUSES, "recording's status", recording.status, allowed)


def check_trunk(trunk: Trunk) -> None:
    """Raises `StoreError` when a value cannot be used."""
    _check_name("trunk's name", trunk.name)
    _require(_is_word(trunk.name, LONGEST_NAME), "trunk's name", trunk.name, "a word of 1 to 64 characters")
    _require(bool(_HOST.fullmatch(trunk.host)), "trunk's host", trunk.host, "a host name or an IP address")
    _require(1 <= trunk.port <= 65535, "trunk's port", trunk.port, "1 to 65535")
    _require(trunk.transport in ("udp", "tcp"), "trunk's transport", trunk.transport, "udp or tcp")
    for country in trunk.countries:
        allowed = "a plus sign and the first digits of the numbers, such as +43"
        _require(bool(_COUNTRY.fullmatch(country)), "country prefix", country, allowed)
    rate = trunk.calls_a_minute
    _require(rate is None or rate >= 1, "number of calls a minute", rate, "1 or more")
    for rule in trunk.rules:
        _require(0 <= rule.strip <= 32, "number of characters to strip", rule.strip, "0 to 32")


def _check_webhooks(record: Number | Application) -> None:
    if record.voice_url:
        _check_url("voice URL", record.voice_url)
    for name, url in (
        ("fallback URL", record.voice_fallback_url),
        ("status callback", record.status_callback),
    ):
        if url is not None:
            _check_url(name, url)
    for name, method in (
        ("voice method", record.voice_method),
        ("fallback method", record.voice_fallback_method),
        ("status callback's method", record.status_callback_method),
    ):
        _require(method in ("GET", "POST"), name, method, "GET or POST")


def _check_name(what: str, name: str) -> None:
    _require(len(name) <= LONGEST_NAME, what, f"{len(name)} characters", f"at most {LONGEST_NAME}")


WHEN_FULL = ("busy", "spoken")


def check_line(line: Line) -> None:
    """Raises `StoreError` when a value cannot be used."""
    _check_dialable(line.number)
    name = line.conference_name
    fits = 0 < len(name) <= 128 and name == name.strip() and not _CONFERENCE_SID.fullmatch(name)
    _require(fits, "conference's name", name, "1 to 128 characters that do not look like a Conference SID")
    for role, pin in (("speaker's", line.speaker_pin), ("moderator's", line.moderator_pin)):
        # The PIN itself stays out of the message: messages are logged.
        _require(pin is None or bool(_PIN.fullmatch(pin)), f"{role} PIN", "what was given", "4 to 12 digits")
    fits = len(line.welcome or "") <= LONGEST_WELCOME
    _require(fits, "welcome", f"{len(line.welcome or '')} characters", f"at most {LONGEST_WELCOME}")
    _require(bool(_LANGUAGE.fullmatch(line.language)), "language", line.language, "a tag such as en-US")
    voice = line.voice
    _require(voice is None or _is_word(voice, 100), "voice", voice, "the name of a voice, such as alice")
    music = line.music
    _require(not music or _is_word(music, 2048), "music", music, "a URL, or empty for silence")
    limit = line.max_participants
    fits = limit is None or 2 <= limit <= MOST_PARTICIPANTS
    _require(fits, "number of participants", limit, f"2 to {MOST_PARTICIPANTS}")
    _require(
        line.when_full in WHEN_FULL, "word for when the server is full", line.when_full, "busy or spoken"
    )


def _check_dialable(number: str) -> None:
    allowed = "1 to 64 letters, digits or + * # . _ -"
    _require(bool(_NUMBER.fullmatch(number)), "number", number, allowed)


def _check_url(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and _is_word(url, 4096)
    except ValueError:
        fits = False
    _require(fits, name, url, "an absolute http or https URL")


def _is_word(text: str, length: int) -> bool:
    return 0 < len(text) <= length and text.isprintable() and " " not in text


def _require(fits: bool, what: str, read: object, allowed: str) -> None:
    if not fits:
        raise StoreError(f"the {what} cannot be {read!r}; allowed: {allowed}")
