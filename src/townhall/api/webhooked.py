"""The webhooks that numbers and applications have in common: voice URL, fallback, status callback."""

from typing import Any

from townhall.api.asking import Ask
from townhall.api.params import Parameters

_URLS = (
    ("VoiceFallbackUrl", "voice_fallback_url"),
    ("StatusCallback", "status_callback"),
)
_METHODS = (
    ("VoiceMethod", "voice_method"),
    ("VoiceFallbackMethod", "voice_fallback_method"),
    ("StatusCallbackMethod", "status_callback_method"),
)


def read_webhooks(ask: Ask, form: Parameters) -> dict[str, Any]:
    """What the form says of webhooks, under the store's names; an empty URL unsets one."""
    read: dict[str, Any] = {}
    voice_url = form.url("VoiceUrl")
    if voice_url is not None:
        read["voice_url"] = voice_url
    for parameter, field in _URLS:
        url = form.url(parameter)
        if url is not None:
            read[field] = url or None
    for parameter, field in _METHODS:
        method = form.given_method(parameter)
        if method is not None:
            read[field] = method
    return read
