"""What was requested and what came back, for whoever keeps account of it (Twilio's Call Events and
Notifications).
"""

from collections.abc import Callable
from dataclasses import dataclass

from townhall.twiml.control import Method, Parameters


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One request of a document or a callback, with its redirects and tries. A failure without an answer has
    no status.
    """

    url: str
    method: Method
    parameters: Parameters
    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    error: str | None
    duration_s: float

    @property
    def content_type(self) -> str:
        return dict(self.headers).get("content-type", "")


Watch = Callable[[Exchanged], None]
