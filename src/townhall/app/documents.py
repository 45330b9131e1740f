"""The application's TwiML documents, as pure functions of a line: the flow of the moderated-conference
how-to.

`links` is the path that the application is reached under, such as `/app`.
"""

from functools import lru_cache
from math import ceil
from typing import Any

from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from townhall.app.lines import Line, Role
from townhall.app.texts import CATALOGUE, ENGLISH, texts_for

PROMPTS = 3
"""How often a question is asked before silence ends the call."""
MENU_TIMEOUT_S = 6
PIN_TIMEOUT_S = 10

CONSOLE_EVENTS = "start end join leave mute hold modify speaker announcement"
RECORDING_EVENTS = "in-progress completed absent"

_remembered = lru_cache(maxsize=256)
"""A thousand callers of one line are answered the same few documents."""

KEYS: dict[str, Role] = {"1": "listener", "2": "speaker", "3": "moderator"}

_ROLE_ATTRIBUTES: dict[Role, dict[str, bool]] = {
    "listener": {"muted": True, "start_conference_on_enter": False},
    "speaker": {"start_conference_on_enter": False},
    "moderator": {"start_conference_on_enter": True, "end_conference_on_exit": True},
}


@_remembered
def menu(line: Line, links: str, wrong_keys: int = 0) -> str:
    """Ask for 1, 2 or 3. `wrong_keys`: how many the caller has pressed; it stands in the URL for the next
    time.
    """
    texts, language = texts_for(line.language)
    response = VoiceResponse()
    for prompt in range(PROMPTS):
        # Every key is data, so that # and * are told to be wrong rather than taken for silence.
        gather = Gather(
            num_digits=1,
            finish_on_key="",
            timeout=MENU_TIMEOUT_S,
            action=f"{links}/menu?wrong={wrong_keys}" if wrong_keys else f"{links}/menu",
        )
        if prompt == 0 and wrong_keys:
            _say(gather, line, texts.wrong_key, language)
        elif prompt == 0:
            _say(
                gather, line, *((line.welcome, line.language) if line.welcome else (texts.welcome, language))
            )
        _say(gather, line, texts.menu, language)
        response.append(gather)
    return _with_farewell(response, line, texts.goodbye)


@_remembered
def redirect(links: str, role: Role) -> str:
    response = VoiceResponse()
    response.redirect(f"{links}/role/{role}")
    return str(response)


@_remembered
def ask_pin(line: Line, links: str, role: Role, wrong_pins: int = 0) -> str:
    """Ask for the role's PIN; it is posted, so it never stands in a URL."""
    texts, language = texts_for(line.language)
    response = VoiceResponse()
    for prompt in range(PROMPTS):
        gather = Gather(
            finish_on_key="#",
            timeout=PIN_TIMEOUT_S,
            method="POST",
            action=f"{links}/pin/{role}?wrong={wrong_pins}" if wrong_pins else f"{links}/pin/{role}",
        )
        if prompt == 0 and wrong_pins:
            _say(gather, line, texts.wrong_pin, language)
        _say(gather, line, texts.ask_pin, language)
        response.append(gather)
    return _with_farewell(response, line, texts.goodbye)


@_remembered
def conference(line: Line, links: str, role: Role, console_url: str | None = None) -> str:
    """Put the caller into the line's conference. What the line leaves open, the engine decides.

    `console_url` is told all that happens there; the first participant's counts, so all have it.
    """
    texts, language = texts_for(line.language)
    response = VoiceResponse()
    if role == "moderator":
        _say(response, line, texts.moderator, language)
    attributes: dict[str, Any] = dict(_ROLE_ATTRIBUTES[role])
    if line.music is not None:
        attributes["wait_url"] = line.music
    if line.music:
        attributes["wait_method"] = "GET"  # a file more often than not; a document answers GET as well
    if line.beep is not None:
        attributes["beep"] = line.beep
    if line.max_participants is not None:
        attributes["max_participants"] = line.max_participants
    if console_url is not None:
        attributes["status_callback"] = attributes["recording_status_callback"] = console_url
        attributes["status_callback_event"] = CONSOLE_EVENTS
        attributes["recording_status_callback_event"] = RECORDING_EVENTS
    dial = Dial(action=f"{links}/left")
    dial.conference(line.conference_name, **attributes)
    response.append(dial)
    return str(response)


def wait(line: Line, seconds: float) -> str:
    """Too many wrong PINs: say when to come back, and hang up."""
    texts, _ = texts_for(line.language)
    minutes = ceil(seconds / 60) + 1  # never early, never "1 minutes"
    text = texts.wait_minutes.format(minutes=minutes) if minutes <= 60 else texts.wait_long
    return _with_farewell(VoiceResponse(), line, text)


@_remembered
def farewell(line: Line, text: str) -> str:
    """Say one of the catalogue's texts, named by its field, and hang up."""
    return _with_farewell(VoiceResponse(), line, getattr(texts_for(line.language)[0], text))


def no_such_line() -> str:
    response = VoiceResponse()
    response.say(CATALOGUE["en"].no_such_line, language=ENGLISH)
    response.hangup()
    return str(response)


def _say(parent: Any, line: Line, text: str, language: str) -> None:
    parent.say(text, voice=line.voice or None, language=language)


def _with_farewell(response: VoiceResponse, line: Line, text: str) -> str:
    _say(response, line, text, texts_for(line.language)[1])
    response.hangup()
    return str(response)
