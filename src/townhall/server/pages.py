"""What our own pages need of the engine: a key that signs their tokens, an application that their calls run,
and the lines that they show.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from townhall.console import LineBook
from townhall.console.phone import PhoneLine
from townhall.store import Application, Store

OWN = "Townhall's own pages"
"""The friendly name of the key and of the application."""
MENU_KEYS = (("1", "Listen"), ("2", "Speak"), ("3", "Moderate"))


@dataclass(frozen=True, slots=True)
class PageAccount:
    """What the pages call as."""

    api_key_sid: str
    api_key_secret: str
    application_sid: str


async def open_page_account(store: Store, menu_url: str) -> PageAccount:
    """The key and the application, made on the first start; the application follows the server's address."""
    key = await store.api_keys.ensure(OWN)
    applications = [one for one in await store.applications.list() if one.friendly_name == OWN]
    if not applications:
        application = await store.applications.add(Application(friendly_name=OWN, voice_url=menu_url))
    elif applications[0].voice_url != menu_url:
        application = await store.applications.change(applications[0].sid, voice_url=menu_url)
    else:
        application = applications[0]
    return PageAccount(key.sid, key.secret, application.sid)


class PhoneBook:
    """The lines as the phone page offers them."""

    def __init__(self, lines: LineBook) -> None:
        self._lines = lines

    async def phone_lines(self) -> Sequence[PhoneLine]:
        return [PhoneLine(line.number, line.conference_name, MENU_KEYS) for line in await self._lines.list()]

