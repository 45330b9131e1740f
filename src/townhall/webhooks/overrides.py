"""Connection overrides in a URL's fragment: `https://example.com/voice#ct=2000&rp=all&rc=2` (Twilio's page of
that name).

The fragment is never sent and never signed. One without `=` is no override but an ordinary fragment.
"""

from dataclasses import dataclass, replace

from townhall.twiml.control import FetchFailed

POLICIES = frozenset({"4xx", "5xx", "ct", "rt"})


@dataclass(frozen=True, slots=True)
class Overrides:
    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 15.0
    """For all tries together."""
    retries: int = 1
    policies: frozenset[str] = frozenset({"ct"})
    """When to try again: `ct` not connected, `rt` no answer in time, `4xx`, `5xx`."""


DEFAULT = Overrides()
_RANGES = {"ct": (100, 10_000), "rt": (100, 15_000), "tt": (100, 15_000), "rc": (0, 5)}


def parse_overrides(fragment: str, url: str) -> Overrides:
    """Read a URL's fragment; raises `FetchFailed` (11243) that says what was read and what is allowed."""
    if "=" not in fragment:
        return DEFAULT
    overrides = DEFAULT
    for pair in fragment.split("&"):
        key, _, value = pair.partition("=")
        if key == "e" or not pair:
            continue
        if key == "rp":
            overrides = replace(overrides, policies=_policies(value, url))
            continue
        if key not in _RANGES:
            raise FetchFailed(11243, url, f"read the override {pair!r}, expected ct, rt, tt, rc, rp or e")
        overrides = _with_number(overrides, key, _number(key, value, url))
    return overrides


def _number(key: str, value: str, url: str) -> int:
    least, most = _RANGES[key]
    if not (value.isascii() and value.isdigit() and len(value) <= 6 and least <= int(value) <= most):
        raise FetchFailed(
            11243, url, f"read the override {key}={value!r}, expected a number from {least} to {most}"
        )
    return int(value)


def _with_number(overrides: Overrides, key: str, value: int) -> Overrides:
    if key == "ct":
        return replace(overrides, connect_s=value / 1000)
    if key == "rt":
        return replace(overrides, read_s=value / 1000)
    if key == "tt":
        return replace(overrides, total_s=value / 1000)
    return replace(overrides, retries=value)


def _policies(value: str, url: str) -> frozenset[str]:
    found = frozenset(value.replace("%2C", ",").replace("%2c", ",").split(","))
    if not found <= POLICIES | {"all"}:
        raise FetchFailed(
            11243, url, f"read the override rp={value!r}, expected some of 4xx, 5xx, ct, rt, all"
        )
    return POLICIES if "all" in found else found
