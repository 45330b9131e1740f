"""What a `To` means: a number, a client, a phone that is registered here, or a SIP address.

Twilio's pages on Calls and on the nouns of `<Dial>`: numbers are E.164, and the usual marks between digits
are taken for what they are; `client:name?x=1` carries parameters; a SIP URI's `?X-name=value` become headers.
Ours: a bare name or a short number means a phone that has registered under it, if there is one.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from townhall.routing.errors import CallRefused
from townhall.sip import SIPURI, SIPParseError

SIP_URI = 255
"""Characters of a SIP URI without its headers (Twilio's limit)."""
SIP_HEADERS = 1024
CLIENT_NAME = 256

_MARKS = re.compile(r"[\s().\-/]")
_NUMBER = re.compile(r"\+?[0-9]{2,15}|[0-9*#]{2,15}")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_.!~*'()&+$-]{1,64}")
_PASSABLE = re.compile(
    r"(?i)x-[a-z0-9-]+|user-to-user|remote-party-id|p-preferred-identity|p-called-party-id"
)

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class NumberDestination:
    """`number`: E.164 with its plus, or digits as they are dialled."""

    number: str


@dataclass(frozen=True, slots=True)
class ClientDestination:
    name: str
    parameters: Pairs = ()


@dataclass(frozen=True, slots=True)
class PhoneDestination:
    """A bare name: only a phone that is registered here can be meant."""

    name: str


@dataclass(frozen=True, slots=True)
class SipDestination:
    """`uri` without headers; `headers` are those that may be passed on."""

    uri: str
    headers: Pairs = ()


Destination = NumberDestination | ClientDestination | PhoneDestination | SipDestination


def read_destination(text: str) -> Destination:
    """What `text` names; raises `CallRefused` (21211)."""
    text = text.strip()
    scheme = text.partition(":")[0].lower()
    if scheme == "client":
        return _read_client(text[len("client:") :])
    if scheme in ("sip", "sips"):
        return _read_sip(text)
    bare = _MARKS.sub("", text)
    if _NUMBER.fullmatch(bare):
        return NumberDestination(bare)
    if _NAME.fullmatch(text):
        return PhoneDestination(text)
    raise CallRefused(
        21211, f"read {_shown(text)}, expected a number such as +15551234567, client:name or sip:user@host"
    )


def _read_client(text: str) -> ClientDestination:
    name, _, query = text.partition("?")
    if not 1 <= len(name) <= CLIENT_NAME or not name.isprintable():
        raise CallRefused(21211, f"read client:{_shown(name)}, expected 1 to {CLIENT_NAME} characters")
    return ClientDestination(name, tuple(parse_qsl(query, keep_blank_values=True)))


def _read_sip(text: str) -> SipDestination:
    bare, _, headers = text.partition("?")
    if len(bare) > SIP_URI or len(headers) > SIP_HEADERS:
        raise CallRefused(
            21211, f"a SIP address has up to {SIP_URI} characters, and its headers up to {SIP_HEADERS}"
        )
    try:
        uri = SIPURI.parse(bare)
    except SIPParseError as error:
        raise CallRefused(21211, f"read {_shown(text)}: {error}") from None
    if uri.scheme != "sip":
        raise CallRefused(21211, "sips: addresses need TLS, which is not there yet; call sip:")
    if not uri.user:
        raise CallRefused(21211, f"read {_shown(text)}, expected sip:user@host")
    return SipDestination(str(uri), tuple(_passable(headers)))


def _passable(query: str) -> list[tuple[str, str]]:
    pairs = parse_qsl(query, keep_blank_values=True)
    return [(name, value) for name, value in pairs if _PASSABLE.fullmatch(name) and value.isprintable()]


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "…")
