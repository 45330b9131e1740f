"""From an utterance to pieces that any engine can speak: words at a rate, and silences.

Understood of SSML: `break`, `p`, `s`, `emphasis`, `prosody rate`, `say-as` (digits, characters, spell-out,
telephone, verbatim), `sub`. Everything else (`lang`, `phoneme`, `w`, volume and pitch, effects) is read as
the text it holds.
"""

import re
from dataclasses import dataclass

from lxml import etree

from townhall.speech.errors import SpeechUnavailable
from townhall.twiml.control import Utterance

MAX_CHARACTERS = 10_000
"""Above every limit of Twilio's voices."""
MAX_SILENCE_MS = 10_000
MAX_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Words:
    text: str
    rate: float = 1.0
    """1.0 is the voice's own pace, 2.0 twice as fast."""


@dataclass(frozen=True, slots=True)
class Silence:
    milliseconds: int


Piece = Words | Silence

_BREAKS_MS = {"none": 0, "x-weak": 100, "weak": 200, "medium": 400, "strong": 700, "x-strong": 1000}
_AFTER_MS = {"p": 600, "s": 300}
_RATES = {"x-slow": 0.6, "slow": 0.8, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.6}
_EMPHASIS = {"strong": 0.85, "moderate": 0.92, "reduced": 1.1, "none": 1.0}
_SPELLED = {"digits", "digit", "characters", "spell-out", "telephone", "verbatim"}
# Prefixes that are used without being declared, because Twilio's inner XML has no root to declare them on.
_ROOT = '<speak xmlns:amazon="urn:amazon" xmlns:google="urn:google">{}</speak>'


def pieces_of(utterance: Utterance) -> tuple[Piece, ...]:
    """What to speak, in order; empty when there is nothing. Raises `SpeechUnavailable` for far too long a
    text.
    """
    if len(utterance.ssml or utterance.text) > 4 * MAX_CHARACTERS or len(utterance.text) > MAX_CHARACTERS:
        raise SpeechUnavailable(f"a text of at most {MAX_CHARACTERS} characters can be spoken at once")
    root = _parse(utterance.ssml) if utterance.ssml else None
    found: list[Piece] = []
    if root is None:
        found.append(Words(utterance.text))
    else:
        _walk(root, 1.0, found, 0)
    return _joined(found)


def _parse(ssml: str) -> etree._Element | None:
    """None when it isn't well-formed; the plain text is spoken then."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(_ROOT.format(ssml).encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _walk(element: etree._Element, rate: float, found: list[Piece], depth: int) -> None:
    name = etree.QName(element).localname
    if name == "break":
        found.append(Silence(_break_ms(element)))
        return
    if name == "sub" and element.get("alias"):
        found.append(Words(element.get("alias", ""), rate))
        return
    if name == "say-as" and element.get("interpret-as") in _SPELLED:
        found.append(Words(_spelled("".join(str(text) for text in element.itertext())), rate))
        return
    rate = max(0.5, min(2.0, rate * _own_rate(name, element)))
    found.append(Words(element.text or "", rate))
    for child in element:
        if isinstance(child.tag, str) and depth < MAX_DEPTH:
            _walk(child, rate, found, depth + 1)
        found.append(Words(child.tail or "", rate))
    if name in _AFTER_MS:
        found.append(Silence(_AFTER_MS[name]))


def _own_rate(name: str, element: etree._Element) -> float:
    if name == "emphasis":
        return _EMPHASIS.get(element.get("level", "moderate"), 1.0)
    if name != "prosody":
        return 1.0
    given = element.get("rate", "medium").strip()
    if match := re.fullmatch(r"([0-9]{1,3})%", given):
        return max(0.5, int(match[1]) / 100)
    return _RATES.get(given, 1.0)


def _break_ms(element: etree._Element) -> int:
    if match := re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s)", element.get("time", "").strip()):
        return min(MAX_SILENCE_MS, round(float(match[1]) * (1000 if match[2] == "s" else 1)))
    return _BREAKS_MS.get(element.get("strength", "medium"), 400)


def _spelled(text: str) -> str:
    """One by one, with commas: every engine then says the characters apart."""
    return ", ".join(character for character in text if not character.isspace() and character not in "-().")


def _cleaned(text: str) -> str:
    """Without control characters, and without `[[`, which engines take for phoneme notation."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(re.sub(r"\[\[|\]\]", " ", printable).split())


def _joined(found: list[Piece]) -> tuple[Piece, ...]:
    """Neighbours of the same rate as one piece, so that a sentence keeps its melody; nothing empty."""
    pieces: list[Piece] = []
    for piece in found:
        last = pieces[-1] if pieces else None
        if isinstance(piece, Silence):
            if piece.milliseconds:
                pieces.append(piece)
        elif isinstance(last, Words) and last.rate == piece.rate:
            pieces[-1] = Words(last.text + piece.text, piece.rate)
        elif piece.text.strip():
            pieces.append(piece)
    cleaned = (
        Words(_cleaned(piece.text), piece.rate) if isinstance(piece, Words) else piece for piece in pieces
    )
    return tuple(piece for piece in cleaned if isinstance(piece, Silence) or piece.text)
