"""SSML inside `<Say>`: the elements and attributes that Twilio documents; others are unwrapped or dropped
(12200).
"""

from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from townhall.twiml.notices import NoticeBook, quoted

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

ELEMENTS: dict[str, frozenset[str]] = {
    "break": frozenset({"strength", "time"}),
    "emphasis": frozenset({"level"}),
    "lang": frozenset({XML_LANG}),
    "p": frozenset(),
    "s": frozenset(),
    "phoneme": frozenset({"alphabet", "ph"}),
    "prosody": frozenset({"volume", "rate", "pitch"}),
    "say-as": frozenset({"interpret-as", "format"}),
    "sub": frozenset({"alias"}),
    "w": frozenset({"role"}),
}


def inner_ssml(element: etree._Element, notices: NoticeBook) -> str:
    """The element's content as XML, holding documented elements and attributes only."""
    parts = [escape(element.text or "")]
    for child in element:
        parts.append(_outer(child, notices))
        parts.append(escape(child.tail or ""))
    return "".join(parts)


def _outer(element: etree._Element, notices: NoticeBook) -> str:
    if not isinstance(element.tag, str):
        notices.warn(12200, f"<Say> holds the undefined entity {element.text}; left out")
        return ""
    if element.tag not in ELEMENTS:
        notices.warn(12200, f"<{element.tag}> is not an element of <Say>; only its text is spoken")
        return inner_ssml(element, notices)
    start = "".join(_attributes(element, notices))
    inner = inner_ssml(element, notices)
    return f"<{element.tag}{start}>{inner}</{element.tag}>" if inner else f"<{element.tag}{start}/>"


def _attributes(element: etree._Element, notices: NoticeBook) -> list[str]:
    parts = []
    for name, value in element.attrib.items():
        if str(name) not in ELEMENTS[str(element.tag)]:
            notices.warn(12200, f"<{element.tag}> has no attribute {quoted(str(name))}; ignored")
            continue
        written = "xml:lang" if name == XML_LANG else str(name)
        parts.append(f" {written}={quoteattr(str(value))}")
    return parts
