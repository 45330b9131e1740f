"""A TwiML document's bytes become verbs and notices, or one `DocumentError`.

Document rules of Twilio's TwiML page: root `<Response>`, names case-sensitive, comments ignored; unknown
elements and attributes are warnings (12200). No entity, DTD or network access: a document with a DOCTYPE is
refused.
"""

import codecs
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from townhall.errors import TownhallError
from townhall.twiml.content import charset
from townhall.twiml.control import Notice
from townhall.twiml.limits import CONFERENCE_PARTICIPANTS, DOCUMENT_BYTES
from townhall.twiml.notices import NoticeBook, quoted
from townhall.twiml.scene import Verb
from townhall.twiml.verbs import parse_verb

_SHORT_BYTES = 8192
"""Documents up to this size are remembered: a thousand callers of one line are answered the same few, and
verbs and notices never change.
"""


class DocumentError(TownhallError):
    """No TwiML document: Twilio's number (11750, 11770, 12100, 12101, 12102) and what was read."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Document:
    verbs: tuple[Verb, ...]
    notices: tuple[Notice, ...] = ()


def parse_document(
    body: bytes | str,
    url: str = "",
    content_type: str = "",
    participants_limit: int = CONFERENCE_PARTICIPANTS,
) -> Document:
    """Parse a TwiML document; raises `DocumentError` and nothing else.

    `url` goes into the notices. A charset in `content_type` is obeyed when the body has no byte order mark
    (RFC 7303 section 3). `participants_limit` is the most that `maxParticipants` may be.
    """
    if len(body) <= _SHORT_BYTES:
        return _remembered(body, url, content_type, participants_limit)
    return _parse(body, url, content_type, participants_limit)


def _parse(body: bytes | str, url: str, content_type: str, participants_limit: int) -> Document:
    root = _parse_xml(body, charset(content_type))
    if root.tag != "Response":
        raise DocumentError(12102, f"the root element is <{root.tag}>, expected <Response>")
    notices = NoticeBook(url)
    for name in root.attrib:
        notices.warn(12200, f"<Response> has no attribute {quoted(str(name))}; ignored")
    parsed = (parse_verb(element, notices, participants_limit) for element in root)
    verbs = tuple(verb for verb in parsed if verb is not None)
    return Document(verbs, notices.listed())


_remembered = lru_cache(maxsize=256, typed=True)(_parse)


def _parse_xml(body: bytes | str, encoding: str | None) -> etree._Element:
    if isinstance(body, str):
        body, encoding = body.encode("utf-8", "surrogatepass"), "utf-8"
    if len(body) > DOCUMENT_BYTES:
        raise DocumentError(11750, f"the document has {len(body)} bytes, allowed are {DOCUMENT_BYTES}")
    if not body.strip():
        raise DocumentError(11770, "the document is empty, expected <Response>")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        remove_comments=True,
        remove_pis=True,
        encoding=_usable_encoding(body, encoding),
    )
    try:
        if b"<!DOCTYPE" in body:  # before the parser could expand an entity of it in an attribute
            raise DocumentError(12100, "the document has a DOCTYPE, which TwiML does not allow")
        root = etree.fromstring(body, parser)
        if root.getroottree().docinfo.internalDTD is not None:
            raise DocumentError(12100, "the document has a DOCTYPE, which TwiML does not allow")
    except etree.XMLSyntaxError as error:
        code = 12101 if getattr(error, "code", None) == etree.ErrorTypes.ERR_UNKNOWN_VERSION else 12100
        raise DocumentError(code, f"the document is not well-formed XML: {error.msg}") from None
    except (ValueError, LookupError) as error:
        raise DocumentError(12100, f"the document is not well-formed XML: {error}") from None
    return root


def _usable_encoding(body: bytes, encoding: str | None) -> str | None:
    """The transport's charset, unless the body's byte order mark says otherwise or nobody knows the name."""
    if encoding is None or body.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return None
    try:
        name = codecs.lookup(encoding).name
        etree.XMLParser(encoding=name)
    except (LookupError, ValueError):
        return None
    return name
