"""Where a verb runs: its call, and the address of the document it stands in."""

from dataclasses import dataclass
from typing import Protocol

from townhall.twiml.addresses import absolute_url
from townhall.twiml.control import CallControl, DocumentRequest, FetchFailed, Notice


@dataclass(frozen=True, slots=True)
class Scene:
    control: CallControl
    url: str | None
    """Of the running document; None for inline TwiML."""
    queued: bool = False
    """Whether the document is heard by a caller who waits in a queue."""

    def absolute(self, reference: str) -> str:
        """The reference as an absolute URL, empty standing for this document; raises `FetchFailed` (11100,
        15004).
        """
        return absolute_url(reference, self.url)

    def warn(self, code: int, message: str) -> None:
        self.control.report(Notice(code, "warning", message, self.url or ""))

    def report_failure(self, failure: FetchFailed) -> None:
        """Log a failure that the document survives."""
        self.control.report(Notice(failure.code, "warning", failure.message, failure.url))


class Verb(Protocol):
    async def run(self, scene: Scene) -> DocumentRequest | None:
        """Do what the verb says; the document to go on with, or None for the next verb.

        Raises `FetchFailed` for what ends the document, `CallEnded` when the verb has ended the call.
        """
