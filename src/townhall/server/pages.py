"""Puts the console and the phone page together: the other side of the seam, given what it needs of this one.

They call and act as anybody outside would: with an API key and an application that are made on the first
start, and with the REST API, which is reached without a network hop.
"""

import httpx2

from townhall.app import GuessGuard
from townhall.console import Console, ConsoleSettings, create_console, rest_client
from townhall.console.phone import PhoneSettings
from townhall.server.front import APPLICATION_PATH, Front
from townhall.server.numbering import StoredLines
from townhall.settings import Settings
from townhall.store import Application, Store
from townhall.webhooks.mounts import MountedTransport

OWN = "Townhall's own pages"
"""The friendly name of the key and of the application."""
SIP_PORT = 5060


async def open_console(
    settings: Settings, store: Store, front: Front, base_url: str, guard: GuessGuard
) -> Console:
    """`guard` counts wrong PINs, by phone and on the console alike."""
    token = settings.auth_token.get_secret_value()
    key = await store.api_keys.ensure(OWN)
    application = await _application(store, f"{base_url}{APPLICATION_PATH}/menu")
    return create_console(
        ConsoleSettings(
            account_sid=settings.account_sid,
            auth_token=token,
            operator_password=settings.operator_password.get_secret_value(),
            base_url=base_url,
            data_dir=settings.data_dir / "console",
        ),
        StoredLines(store),
        rest_client(
            httpx2.AsyncClient(transport=MountedTransport(front)),
            account_sid=settings.account_sid,
            user=key.sid,  # not the account's: what the console asks counts against a limit of its own
            password=key.secret,
            api_url=base_url,
        ),
        guard=guard,
        phone=PhoneSettings(
            account_sid=settings.account_sid,
            api_key_sid=key.sid,
            api_key_secret=key.secret,
            application_sid=application.sid,
            public_origin=settings.public_url,
            sip_address=_sip_address(settings),
        ),
    )


async def _application(store: Store, menu_url: str) -> Application:
    """What the phone page's calls run. It follows the server's address."""
    kept = [one for one in await store.applications.list() if one.friendly_name == OWN]
    if not kept:
        return await store.applications.add(Application(friendly_name=OWN, voice_url=menu_url))
    if kept[0].voice_url != menu_url:
        return await store.applications.change(kept[0].sid, voice_url=menu_url)
    return kept[0]


def _sip_address(settings: Settings) -> str | None:
    """How phones call in, `{number}` being what they dial; None: not known before the port is."""
    host = settings.sip_domain or settings.public_host or settings.bind[0]
    if not settings.sip_port or host in ("0.0.0.0", "::"):
        return None
    host = f"[{host}]" if ":" in host else host
    return f"sip:{{number}}@{host}" + (f":{settings.sip_port}" if settings.sip_port != SIP_PORT else "")
