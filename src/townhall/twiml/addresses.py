"""URLs in a document: relative ones resolve against the document's own address (RFC 3986 section 5).

Inline TwiML has no address: there a relative URL is 15004. What can't be an http URL at all is 11100.
"""

from functools import lru_cache
from urllib.parse import urljoin

from townhall.twiml.control import FetchFailed
from townhall.twiml.kinds import URL
from townhall.twiml.notices import quoted


@lru_cache(maxsize=256)
def absolute_url(reference: str, base: str | None) -> str:
    """`reference` as an absolute URL; empty stands for the document itself. Raises `FetchFailed` (11100,
    15004).
    """
    try:
        stripped = URL.read(reference)
        if base is None:
            if "://" not in stripped[:8]:
                raise FetchFailed(
                    15004,
                    reference,
                    f"read the relative URL {quoted(reference)} in inline TwiML, expected an absolute one",
                )
            return stripped
        joined = URL.read(urljoin(base, stripped) if stripped else base)
    except ValueError:
        raise FetchFailed(11100, reference, f"read {quoted(reference)}, expected {URL.expected}") from None
    if "://" not in joined[:8]:
        raise FetchFailed(11100, reference, f"read {quoted(reference)}, which has no host")
    return joined
