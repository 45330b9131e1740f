"""TwiML documents of queues, written with the official `twilio` package."""

from twilio.twiml.voice_response import Dial, VoiceResponse


def enqueue(queue: str, *, then: str | None = None, **attributes: object) -> str:
    """`<Enqueue>`, its attributes in the package's names; `then`: a URL that a `<Redirect>` after it leads
    to.
    """
    response = VoiceResponse()
    response.enqueue(queue, **attributes)
    if then is not None:
        response.redirect(then)
    return str(response)


def dial_queue(queue: str, *, dial: dict[str, object] | None = None, **attributes: object) -> str:
    """`<Dial><Queue>`: `dial` has the attributes of the one, `attributes` of the other."""
    response = VoiceResponse()
    response.append(verb := Dial(**(dial or {})))
    verb.queue(queue, **attributes)
    return str(response)
