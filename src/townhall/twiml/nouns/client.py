"""`<Client>`: a phone that has registered here, by its name; with `<Parameter>`s for its call's webhooks.

Twilio's page. The name stands in the text or in a nested `<Identity>`. `clientNotificationUrl` is accepted
and never called.
"""

from typing import Any

from lxml import etree

from townhall.twiml.attributes import Attribute, AttributeReader
from townhall.twiml.control import DocumentRequest, Method, Notice
from townhall.twiml.dial_plan import CallTarget
from townhall.twiml.kinds import METHOD, URL, optional
from townhall.twiml.notices import NoticeBook, quoted
from townhall.twiml.nouns.calling import PROGRESS, CallNoun, callbacks_of

CLIENT_NAME = 256
PARAMETERS = 50
"""Ours: further ones are left out."""

URL_OF = Attribute[str | None]("url", optional(URL), None, 13299)
METHOD_OF = Attribute[Method]("method", METHOD, "POST", 13299)
CLIENT_NOTIFICATION_URL = Attribute[str | None]("clientNotificationUrl", optional(URL), None, 13299)
ATTRIBUTES: tuple[Attribute[Any], ...] = (URL_OF, METHOD_OF, CLIENT_NOTIFICATION_URL, *PROGRESS)


def parse_client(element: etree._Element, notices: NoticeBook) -> CallNoun:
    values = AttributeReader(element, ATTRIBUTES, notices)
    values.check(CLIENT_NOTIFICATION_URL)
    name = str(element.text or "").strip()
    parameters: list[tuple[str, str]] = []
    for child in element:
        if child.tag == "Identity":
            name = str(child.text or "").strip()
        elif child.tag == "Parameter" and child.get("name") and len(parameters) < PARAMETERS:
            parameters.append((str(child.get("name")), str(child.get("value") or "")))
        else:
            notices.warn(13215, f"<{child.tag}> can't stand so inside <Client>; skipped")
    url = values[URL_OF]
    target = CallTarget(
        kind="client",
        to=f"client:{name}",
        screening=DocumentRequest(url, values[METHOD_OF]) if url else None,
        status_callback=callbacks_of(values),
        parameters=tuple(parameters),
    )
    return CallNoun(target, _refusal(name))


def _refusal(name: str) -> Notice | None:
    if 1 <= len(name) <= CLIENT_NAME and name.isprintable():
        return None
    return Notice(
        13299, "error", f"<Client>: read {quoted(name)}, expected a name of 1 to {CLIENT_NAME} characters"
    )
