"""How each setting is read: from the text of a variable or a TOML value to the value that the program uses.

Each function raises `ValueError` with what is allowed; it never repeats what it read, for that may be a
secret.
"""

import ipaddress
import os
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from townhall.ids import is_sid

_DATABASE_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}
MOST_WORKERS = 64
PhoneCodec = Literal["PCMU", "PCMA", "G722"]
_PHONE_CODECS: dict[str, PhoneCodec] = {"PCMU": "PCMU", "PCMA": "PCMA", "G722": "G722", "G.722": "G722"}
_USER_NAME = re.compile(r"[A-Za-z0-9_.!~*'()&+$-]{1,64}")
_HOST_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9-]+)*\.?")


def path(value: object) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("a path")
    return Path(value).expanduser().absolute()


def _listed(value: object) -> list[str]:
    """A list in TOML; in the environment words separated by commas or spaces."""
    if isinstance(value, str):
        return [word for word in re.split(r"[,\s]+", value) if word]
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return list(value)
    raise ValueError("a list of texts")


def hosts(value: object) -> tuple[str, ...]:
    hosts = [host.removeprefix("[").removesuffix("]") for host in _listed(value)]
    hosts = ["127.0.0.1" if host == "localhost" else host for host in hosts]
    allowed = "IP addresses separated by commas, such as 0.0.0.0 or 127.0.0.1,::1"
    if not hosts:
        raise ValueError(allowed)
    try:
        return tuple(dict.fromkeys(str(ipaddress.ip_address(host)) for host in hosts))
    except ValueError:
        raise ValueError(allowed) from None


def rtp_ports(value: object) -> tuple[int, int]:
    allowed = "a range of at least two ports that starts with an even one, such as 20000-20063"
    if isinstance(value, str):
        match = re.fullmatch(r"\s*([0-9]{1,5})\s*-\s*([0-9]{1,5})\s*", value)
        if match is None:
            raise ValueError(allowed)
        value = [int(match[1]), int(match[2])]
    match value:
        case [int(first), int(last)] if 1024 <= first < last <= 65535 and first % 2 == 0:
            return first, last
    raise ValueError(f"{allowed}, within 1024-65535")


def workers(value: object) -> int:
    """`auto`: a process for each core but one, which is control's."""
    if isinstance(value, str) and value.strip().lower() == "auto":
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(max(1, cores - 1), 32)  # the default range has as many pairs of RTP ports
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,3}\s*", value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_WORKERS:
        return value
    raise ValueError(f"a whole number from 1 to {MOST_WORKERS}, or auto: one for each core but one")


def codecs(value: object) -> tuple[PhoneCodec, ...]:
    """In our order; G.711 in one law at least, which every phone has."""
    allowed = "PCMU, PCMA and G722 in the order of preference, PCMU or PCMA among them"
    try:
        chosen = tuple(dict.fromkeys(_PHONE_CODECS[word.upper()] for word in _listed(value)))
    except (KeyError, ValueError):
        raise ValueError(allowed) from None
    if not {"PCMU", "PCMA"} & set(chosen):
        raise ValueError(allowed)
    return chosen


def _web_address(value: object, what: str) -> str:
    allowed = f"{what} such as https://calls.example.com, without user, query or fragment"
    if not isinstance(value, str):
        raise ValueError(allowed)
    try:
        parts = urlsplit(value.strip())
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or parts.query or parts.fragment or "@" in parts.netloc or re.search(r"\s", value.strip()):
        raise ValueError(allowed)
    return value.strip().rstrip("/")


def public_url(value: object) -> str:
    return _web_address(value, "a web address")


def origins(value: object) -> tuple[str, ...]:
    origins = [_web_address(item, "origins") for item in _listed(value)]
    if any(urlsplit(origin).path for origin in origins):
        raise ValueError("origins such as http://127.0.0.1:5000, without a path")
    return tuple(origin.lower() for origin in origins)


def host(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a host name or an IP address")
    bare = value.strip().removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        if _HOST_NAME.fullmatch(bare):
            return bare
        raise ValueError("a host name or an IP address") from None


def sip_hosts(value: object) -> tuple[str, ...]:
    """Host names, addresses, networks (`10.0.0.0/8`), or `*` for all."""
    return tuple(_sip_host(item) for item in _listed(value))


def _sip_host(item: str) -> str:
    if item == "*" or _HOST_NAME.fullmatch(item):
        return item.lower()
    try:
        return str(ipaddress.ip_network(item.removeprefix("[").removesuffix("]"), strict=False))
    except ValueError:
        raise ValueError("host names, addresses or networks such as 10.0.0.0/8, or *") from None


def networks(value: object) -> tuple[str, ...]:
    """Addresses (`10.0.0.5`) and networks (`10.0.0.0/8`)."""
    try:
        return tuple(str(ipaddress.ip_network(item, strict=False)) for item in _listed(value))
    except ValueError:
        raise ValueError("IP addresses and networks, such as 127.0.0.1 or 10.0.0.0/8") from None


def database_url(value: object) -> str:
    scheme, separator, rest = value.partition("://") if isinstance(value, str) else ("", "", "")
    driver = _DATABASE_DRIVERS.get(scheme, scheme)
    if not separator or not rest or driver not in _DATABASE_DRIVERS.values():
        raise ValueError("sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE")
    return f"{driver}://{rest}"


def account_sid(value: object) -> str:
    if not isinstance(value, str) or not is_sid(value, "AC"):
        raise ValueError("AC and 32 hexadecimal digits in lower case")
    return value


def auth_token(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]{16,128}", value):
        raise ValueError("16 to 128 printable characters without spaces")
    return value


def operator_password(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]{12,128}", value):
        raise ValueError("12 to 128 printable characters without spaces")
    return value


def sip_users(value: object) -> dict[str, str]:
    """A table in TOML; in the environment, or a file, `user=password` pairs separated by white space."""
    if isinstance(value, str):
        pairs = [pair.partition("=")[::2] for pair in value.split()]
        if len({user for user, _ in pairs}) != len(pairs):
            raise ValueError("each user once")
        value = dict(pairs)
    if not isinstance(value, dict) or not all(
        isinstance(user, str) and _USER_NAME.fullmatch(user) and isinstance(password, str) and password
        for user, password in value.items()
    ):
        raise ValueError("user=password pairs separated by spaces")
    return value
