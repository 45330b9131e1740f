"""What the API needs of the server: the store for what is written down, the switchboard for what is alive.

The resources see no more of the server than this, so that they can be tested with a switchboard that places
no calls.
"""

import re
from dataclasses import dataclass

from townhall.api.errors import APIError
from townhall.calls import Switchboard
from townhall.calls.guests import GuestList
from townhall.calls.moderation import Moderation, ModerationError
from townhall.store import ConferenceRecord, Store


@dataclass(frozen=True, slots=True)
class Engine:
    account_sid: str
    auth_token: str
    base_url: str
    """Where clients reach this server, for the absolute URLs of media."""
    store: Store
    switchboard: Switchboard
    requests_per_s: float = 0.0

    @property
    def moderation(self) -> Moderation:
        return self.switchboard.moderation

    @property
    def guests(self) -> GuestList:
        return self.switchboard.guests

    def expected_conference(self, sid: str) -> ConferenceRecord | None:
        """A conference whose first participant is only being called."""
        guest = self.guests.first(sid)
        if guest is None:
            return None
        return ConferenceRecord(
            sid=sid,
            friendly_name=guest.conference.name,
            created_at=guest.invited_at,
            updated_at=guest.invited_at,
        )


def refused(error: ModerationError) -> APIError:
    """What moderation refused, as the API answers it."""
    return APIError(error.code, sentence(error.message))


def sentence(message: str) -> str:
    """A message of another room with a capital, as an answer begins."""
    return re.sub(r"^[a-z]", lambda first: first[0].upper(), message)
