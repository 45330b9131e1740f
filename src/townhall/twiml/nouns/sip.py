"""`<Sip>`: a SIP address to ring, with a user name and password for its challenge, and headers in its query.

Twilio's page; which of 13241 to 13255 means which attribute is not documented, so the numbers here are ours.
TLS (`sips:`, `transport=tls`) is refused; `region` and `edge` in the address are ignored. Machine detection
is accepted and has no effect.
"""

import re
from typing import Any

from lxml import etree

from townhall.twiml.attributes import Attribute, AttributeReader
from townhall.twiml.control import DocumentRequest, Method, Notice
from townhall.twiml.dial_plan import CallTarget
from townhall.twiml.kinds import METHOD, URL, optional, text
from townhall.twiml.notices import NoticeBook, quoted
from townhall.twiml.nouns.calling import DETECTION, MACHINE_DETECTION, PROGRESS, CallNoun, callbacks_of

SIP_URI = 255
SIP_HEADERS = 1024

URL_OF = Attribute[str | None]("url", optional(URL), None, 13244)
METHOD_OF = Attribute[Method]("method", METHOD, "POST", 13245)
USERNAME = Attribute("username", text(256), "", 13242)
PASSWORD = Attribute("password", text(256), "", 13243)
ATTRIBUTES: tuple[Attribute[Any], ...] = (URL_OF, METHOD_OF, USERNAME, PASSWORD, *PROGRESS, *DETECTION)

_ADDRESS = re.compile(r"(?i)sip:[^\s@<>]+@[^\s@<>?]+(\?[^\s<>]*)?")


def parse_sip_noun(element: etree._Element, notices: NoticeBook) -> CallNoun:
    values = AttributeReader(element, ATTRIBUTES, notices)
    values.check(*DETECTION)
    if values[MACHINE_DETECTION]:
        notices.warn(13299, "<Sip> machineDetection: machines are not told from people; ignored")
    for child in element:
        notices.warn(13215, f"<{child.tag}> can't stand inside <Sip>; skipped")
    address = str(element.text or "").strip()
    url, username = values[URL_OF], values[USERNAME]
    target = CallTarget(
        kind="sip",
        to=address,
        screening=DocumentRequest(url, values[METHOD_OF]) if url else None,
        status_callback=callbacks_of(values),
        auth=(username, values[PASSWORD]) if username else None,
    )
    return CallNoun(target, _refusal(address))


def _refusal(address: str) -> Notice | None:
    bare, _, headers = address.partition("?")
    if not _ADDRESS.fullmatch(address):
        expected = "expected sip:user@host"
    elif len(bare) > SIP_URI or len(headers) > SIP_HEADERS:
        expected = f"allowed are {SIP_URI} characters, and {SIP_HEADERS} of headers"
    elif "transport=tls" in bare.lower():
        expected = "expected transport udp or tcp: TLS is not there yet"
    else:
        return None
    return Notice(13241, "error", f"<Sip>: read {quoted(address)}, {expected}")
