"""Which content types are TwiML, which are audio and which are words to be spoken.

Twilio's list, with the further audio types that this server can decode (OGG, FLAC).
"""

from typing import Literal

TWIML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})
AUDIO_TYPES = frozenset(
    {
        "audio/mpeg", "audio/wav", "audio/wave", "audio/x-wav", "audio/aiff", "audio/x-aifc", "audio/x-aiff",
        "audio/x-gsm", "audio/gsm", "audio/ulaw", "audio/mp3", "audio/ogg", "application/ogg", "audio/flac",
        "audio/x-flac", "audio/vnd.wave", "audio/basic",
    }
)  # fmt: skip


def media_type(content_type: str) -> str:
    """The type without its parameters, in lower case: `Text/XML; charset=utf-8` → `text/xml`."""
    return content_type.partition(";")[0].strip().lower()


def charset(content_type: str) -> str | None:
    """The `charset` parameter, in lower case, or None."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'").lower() or None
    return None


def kind_of_answer(content_type: str) -> Literal["twiml", "audio", "text", "other"]:
    """What a webhook's answer is, by its Content-Type alone."""
    found = media_type(content_type)
    if found in TWIML_TYPES:
        return "twiml"
    if found in AUDIO_TYPES:
        return "audio"
    return "text" if found == "text/plain" else "other"
