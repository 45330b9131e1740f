"""TwiML documents for stories, written with the official `twilio` package."""

from twilio.twiml.voice_response import VoiceResponse

LISTENER = {"muted": True, "start_conference_on_enter": False}
SPEAKER = {"start_conference_on_enter": False}
MODERATOR = {"start_conference_on_enter": True, "end_conference_on_exit": True}
ROLES: dict[str, dict[str, object]] = {"listener": LISTENER, "speaker": SPEAKER, "moderator": MODERATOR}
"""The three keys of the menu as attributes of `<Conference>`."""


def conference(
    room: str, *, dial: dict[str, object] | None = None, then: str | None = None, **attributes: object
) -> str:
    """`<Dial><Conference>`: `dial` has the attributes of the one, `attributes` of the other, in the package's
    names.

    `then`: a URL that a `<Redirect>` after the `<Dial>` leads to.
    """
    response = VoiceResponse()
    response.dial(**(dial or {})).conference(room, **attributes)
    if then is not None:
        response.redirect(then)
    return str(response)


def role(name: str, room: str, **more: object) -> str:
    """What the menu's key leads to, without beeps; `more` as for `conference`."""
    return conference(room, **{"beep": "false", **ROLES[name], **more})  # type: ignore[arg-type]


def hang_up() -> str:
    response = VoiceResponse()
    response.hangup()
    return str(response)


def pause(seconds: int) -> str:
    response = VoiceResponse()
    response.pause(seconds)
    return str(response)
