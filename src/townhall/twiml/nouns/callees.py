"""Everybody whom a `<Dial>` rings: a plain number, or up to ten of `<Number>`, `<Client>` and `<Sip>`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lxml import etree

from townhall.twiml.dial_plan import CallTarget
from townhall.twiml.notices import NoticeBook
from townhall.twiml.nouns.calling import CallNoun
from townhall.twiml.nouns.client import parse_client
from townhall.twiml.nouns.number import number_to_ring, parse_number
from townhall.twiml.nouns.sip import parse_sip_noun
from townhall.twiml.scene import Scene

MOST = 10
"""Twilio's limit of targets in one `<Dial>`."""

PARSERS: dict[str, Callable[[etree._Element, NoticeBook], CallNoun]] = {
    "Number": parse_number,
    "Client": parse_client,
    "Sip": parse_sip_noun,
}


@dataclass(frozen=True, slots=True)
class Callees:
    nouns: tuple[CallNoun, ...]

    def resolve(self, scene: Scene) -> tuple[CallTarget, ...]:
        """Whom to ring; those who can't be are reported and left out."""
        targets: list[CallTarget] = []
        for noun in self.nouns:
            target = noun.resolve(scene)
            if isinstance(target, CallTarget):
                targets.append(target)
            else:
                scene.control.report(target)
        return tuple(targets)


def parse_callees(elements: Sequence[etree._Element], notices: NoticeBook) -> Callees:
    """`elements`: those of `<Dial>` that `PARSERS` know."""
    if len(elements) > MOST:
        notices.warn(13215, f"<Dial> rings {MOST} at most; {len(elements) - MOST} more are left out")
    return Callees(tuple(PARSERS[str(element.tag)](element, notices) for element in elements[:MOST]))


def plain_number(text: str) -> Callees:
    """`<Dial>+15551234567</Dial>`."""
    return Callees((number_to_ring(text),))
