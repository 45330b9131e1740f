"""The rarer nouns of `<Dial>`: recognised, but nobody is called by them.

Their attributes are not checked until they do something.
"""

from dataclasses import dataclass

from lxml import etree

from townhall.twiml.notices import NoticeBook

NOT_YET = frozenset({"Application", "Sim", "WhatsApp"})


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A target that can't be dialled: the `<Dial>` fails with this reason."""

    reason: str


def parse_unsupported(element: etree._Element, notices: NoticeBook) -> Unsupported | None:
    """The noun, or None with a notice (13215) when `<Dial>` may not hold the element."""
    if element.tag in NOT_YET:
        return Unsupported(f"<Dial><{element.tag}> is not supported")
    notices.warn(13215, f"<{element.tag}> can't stand inside <Dial>; skipped")
    return None
