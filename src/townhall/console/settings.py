"""What the console must be given: whose account, which address, where to keep what it learned."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from townhall.app import Line


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """`engine` says what there is beyond Twilio's API: `townhall` has levels, locks and recordings of a whole
    conference that begin at any time; `twilio` has none of them, and the console hides them.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    """The key that callbacks are signed with; sessions and URLs of ours are signed with keys made of it."""
    operator_password: str = field(repr=False)
    base_url: str
    """The public address, without a slash at its end: of callbacks, announcements and the pages' origin."""
    data_dir: Path
    """A folder of the console's own; made when it is missing."""
    engine: Literal["townhall", "twilio"] = "townhall"
    caller_id: str | None = None
    """The number that dialled guests see; None: the line's own."""


class LineBook(Protocol):
    """Where the lines are kept."""

    async def get(self, number: str) -> Line | None:
        """The line that is reached under this number."""

    async def list(self) -> Sequence[Line]:
        """All of them."""
