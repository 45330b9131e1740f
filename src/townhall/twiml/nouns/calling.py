"""What `<Number>`, `<Client>` and `<Sip>` have in common: a callee, his screening document, and who is told
of his call.

Machine detection is left out: its attributes are checked, and asking for it is reported (13299).
"""

from dataclasses import dataclass, replace
from typing import Any

from townhall.twiml.attributes import Attribute, AttributeReader
from townhall.twiml.control import CallCallbacks, FetchFailed, Method, Notice
from townhall.twiml.dial_plan import CallTarget
from townhall.twiml.kinds import METHOD, URL, choice, integer, optional, words
from townhall.twiml.scene import Scene

CALL_EVENTS = ("initiated", "ringing", "answered", "completed")

STATUS_CALLBACK = Attribute[str | None]("statusCallback", optional(URL), None, 13299)
STATUS_CALLBACK_METHOD = Attribute[Method]("statusCallbackMethod", METHOD, "POST", 13299)
STATUS_CALLBACK_EVENT = Attribute("statusCallbackEvent", words(*CALL_EVENTS), frozenset({"completed"}), 13299)
PROGRESS: tuple[Attribute[Any], ...] = (STATUS_CALLBACK, STATUS_CALLBACK_METHOD, STATUS_CALLBACK_EVENT)

MACHINE_DETECTION = Attribute[str | None](
    "machineDetection", optional(choice("Enable", "DetectMessageEnd")), None, 13299
)
DETECTION: tuple[Attribute[Any], ...] = (
    MACHINE_DETECTION,
    Attribute("machineDetectionTimeout", integer(3, 60), 30, 13299),
    Attribute("machineDetectionSpeechThreshold", integer(1000, 6000), 2400, 13299),
    Attribute("machineDetectionSpeechEndThreshold", integer(500, 5000), 1200, 13299),
    Attribute("machineDetectionSilenceTimeout", integer(2000, 10000), 5000, 13299),
    Attribute[str | None]("amdStatusCallback", optional(URL), None, 13299),
    Attribute[Method]("amdStatusCallbackMethod", METHOD, "POST", 13299),
)


@dataclass(frozen=True, slots=True)
class CallNoun:
    target: CallTarget
    """With the URLs as written."""
    refused: Notice | None = None
    """Why nobody can be rung by this element, if so."""

    def resolve(self, scene: Scene) -> CallTarget | Notice:
        """Whom to ring, with absolute URLs; one that can't become one is reported and left out, but for the
        screening: a callee who was to be asked first is not connected unasked.
        """
        if self.refused is not None:
            return self.refused
        target, screening = self.target, self.target.screening
        if screening is not None:
            try:
                screening = replace(screening, url=scene.absolute(screening.url))
            except FetchFailed as failure:
                return Notice(failure.code, "error", failure.message, failure.url)
        return replace(target, screening=screening, status_callback=_resolve(scene, target.status_callback))


def _resolve(scene: Scene, callback: CallCallbacks | None) -> CallCallbacks | None:
    if callback is None:
        return None
    try:
        return replace(callback, url=scene.absolute(callback.url))
    except FetchFailed as failure:
        scene.report_failure(failure)
        return None


def callbacks_of(values: AttributeReader) -> CallCallbacks | None:
    url, method, events = (
        values[STATUS_CALLBACK],
        values[STATUS_CALLBACK_METHOD],
        values[STATUS_CALLBACK_EVENT],
    )
    return CallCallbacks(url, method, events) if url else None
