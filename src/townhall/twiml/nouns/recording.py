"""What `<Record>`, `<Dial>` and `<Conference>` have in common about recordings."""

from dataclasses import replace

from townhall.twiml.control import ConferenceCallbacks, FetchFailed, Method
from townhall.twiml.scene import Scene

RECORDING_EVENTS = ("in-progress", "completed", "absent")


def recording_callbacks(
    url: str | None, method: Method, events: frozenset[str]
) -> ConferenceCallbacks | None:
    """`recordingStatusCallback` and what goes with it; None without a URL."""
    return ConferenceCallbacks(url, method, events) if url else None


def resolved(scene: Scene, callbacks: ConferenceCallbacks | None) -> ConferenceCallbacks | None:
    """The same with an absolute URL; one that can't become absolute is reported and left out."""
    if callbacks is None:
        return None
    try:
        return replace(callbacks, url=scene.absolute(callbacks.url))
    except FetchFailed as failure:
        scene.report_failure(failure)
        return None
