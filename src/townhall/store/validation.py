"""What a number and a line may be; every refusal says what was read and what is allowed."""

import re
from urllib.parse import urlsplit

from townhall.store.errors import StoreError
from townhall.store.records import Line, Number

_NUMBER = re.compile(r"[A-Za-z0-9+*#._-]{1,64}")
_PIN = re.compile(r"[0-9]{4,12}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_CONFERENCE_SID = re.compile(r"CF[0-9a-f]{32}", re.IGNORECASE)
MOST_PARTICIPANTS = 250
"""Twilio's limit for maxParticipants."""
LONGEST_WELCOME = 4096
"""Twilio's limit for the text of `<Say>`."""


def check_number(number: Number) -> None:
    """Raises `StoreError` when a value cannot be used."""
    _check_dialable(number.number)
    _check_url("voice URL", number.voice_url)
    for name, url in (
        ("fallback URL", number.voice_fallback_url),
        ("status callback", number.status_callback),
    ):
        if url is not None:
            _check_url(name, url)
    for name, method in (
        ("voice method", number.voice_method),
        ("fallback method", number.voice_fallback_method),
        ("status callback's method", number.status_callback_method),
    ):
        _require(method in ("GET", "POST"), name, method, "GET or POST")


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
