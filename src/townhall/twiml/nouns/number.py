"""`<Number>`: a number to ring, over a trunk or, when a phone has registered under it, that phone.

Twilio's page. `byoc` and machine detection are accepted and have no effect.
"""

import re
from typing import Any

from lxml import etree

from townhall.twiml.attributes import Attribute, AttributeReader
from townhall.twiml.control import DocumentRequest, Method, Notice
from townhall.twiml.dial_plan import CallTarget
from townhall.twiml.kinds import ANYTHING, METHOD, URL, matching, optional
from townhall.twiml.notices import NoticeBook, quoted
from townhall.twiml.nouns.calling import DETECTION, MACHINE_DETECTION, PROGRESS, CallNoun, callbacks_of

URL_OF = Attribute[str | None]("url", optional(URL), None, 13299)
METHOD_OF = Attribute[Method]("method", METHOD, "POST", 13221)
SEND_DIGITS = Attribute(
    "sendDigits", matching(r"[0-9A-D*#wW]{0,32}", "up to 32 of 0-9, A-D, *, #, w and W"), "", 13222
)
BYOC = Attribute("byoc", ANYTHING, "", 13299)
ATTRIBUTES: tuple[Attribute[Any], ...] = (URL_OF, METHOD_OF, SEND_DIGITS, BYOC, *PROGRESS, *DETECTION)

_NUMBER = re.compile(r"\+?[0-9]{2,15}|[0-9*#]{2,15}")
_MARKS = re.compile(r"[\s().\-/]")


def parse_number(element: etree._Element, notices: NoticeBook) -> CallNoun:
    values = AttributeReader(element, ATTRIBUTES, notices)
    values.check(*DETECTION)
    if values[MACHINE_DETECTION]:
        notices.warn(13299, "<Number> machineDetection: machines are not told from people; ignored")
    for child in element:
        notices.warn(13215, f"<{child.tag}> can't stand inside <Number>; skipped")
    url = values[URL_OF]
    return number_to_ring(
        str(element.text or ""),
        CallTarget(
            kind="number",
            to="",
            screening=DocumentRequest(url, values[METHOD_OF]) if url else None,
            status_callback=callbacks_of(values),
            send_digits=values[SEND_DIGITS],
        ),
    )


def number_to_ring(text: str, target: CallTarget | None = None) -> CallNoun:
    """The number of a text, marks between its digits aside; a bad one is 13223."""
    bare = _MARKS.sub("", text)
    refused = None
    if not _NUMBER.fullmatch(bare):
        refused = Notice(
            13223, "error", f"<Number>: read {quoted(text.strip())}, expected a number such as +15551234567"
        )
    target = target or CallTarget("number", "")
    return CallNoun(
        CallTarget("number", bare, target.screening, target.status_callback, target.send_digits), refused
    )
