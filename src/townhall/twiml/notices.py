"""What is wrong with a document, collected while it is parsed: bounded, in reading order."""

from typing import Literal

from townhall.twiml.control import Notice
from townhall.twiml.limits import NOTICES_PER_DOCUMENT


class NoticeBook:
    """Collects a document's notices. `url` is the document's address (empty for inline TwiML)."""

    def __init__(self, url: str = "") -> None:
        self._url = url
        self._notices: list[Notice] = []
        self._suppressed = 0

    def warn(self, code: int, message: str, level: Literal["error", "warning"] = "warning") -> None:
        if len(self._notices) >= NOTICES_PER_DOCUMENT:
            self._suppressed += 1
            return
        self._notices.append(Notice(code, level, message, self._url))

    def listed(self) -> tuple[Notice, ...]:
        """All notices; when some were left out, a last one says how many."""
        if not self._suppressed:
            return tuple(self._notices)
        rest = Notice(
            12200, "warning", f"{self._suppressed} more faults of this document not listed", self._url
        )
        return (*self._notices, rest)


def quoted(text: str, limit: int = 80) -> str:
    """`text` as it can stand in a message: in quotes, control characters escaped, shortened."""
    shown = text if len(text) <= limit else text[:limit] + "…"
    return (
        '"' + shown.encode("unicode_escape").decode("ascii") + '"'
        if not shown.isprintable()
        else f'"{shown}"'
    )
