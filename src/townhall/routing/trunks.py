"""By which trunks a number goes: prefix rules, priority, health, and the digits that each trunk wants."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class PrefixRule(Protocol):
    """Numbers that begin with `prefix` (empty: all) go without their first `strip` characters (the plus is
    one), and with `add` before the rest.
    """

    @property
    def prefix(self) -> str: ...
    @property
    def strip(self) -> int: ...
    @property
    def add(self) -> str: ...


class TrunkRules(Protocol):
    """What the rules need to know of a trunk. `countries`: prefixes that may be called, none being no
    number at all, `+` every one.
    """

    @property
    def sid(self) -> str: ...
    @property
    def rules(self) -> Sequence[PrefixRule]: ...
    @property
    def countries(self) -> Sequence[str]: ...
    @property
    def priority(self) -> int: ...
    @property
    def enabled(self) -> bool: ...


T = TypeVar("T", bound=TrunkRules)


@dataclass(frozen=True)  # no slots: Python 3.11 can't subscript such a class when calling it
class Passage(Generic[T]):
    """A trunk that may carry a number, and the number as that trunk wants it."""

    trunk: T
    dialled: str


def choose_trunks(trunks: Iterable[T], number: str, down: Container[str] = ()) -> list[Passage[T]]:
    """The trunks that may carry a number, the one to try first foremost.

    By priority, then by the longer prefix. Those whose SID is in `down` come last: a trunk that was not
    heard of may be there again.
    """
    fitting = [
        (trunk, rule)
        for trunk in trunks
        if trunk.enabled and (rule := _rule_for(trunk, number)) is not None and _allows(trunk, number)
    ]
    fitting.sort(key=lambda item: (item[0].sid in down, item[0].priority, -len(item[1].prefix)))
    return [Passage(trunk, rule.add + number[rule.strip :]) for trunk, rule in fitting]


def why_no_trunk(trunks: Iterable[T], number: str) -> str:
    """What the operator should know when no trunk carries a number."""
    enabled = [trunk for trunk in trunks if trunk.enabled]
    if not enabled:
        return "there is no trunk to call numbers over (`townhall trunk add`)"
    if not any(_rule_for(trunk, number) is not None for trunk in enabled):
        return f"no trunk has a rule for {number} (`townhall trunk change NAME --prefix …`)"
    return f"no trunk allows the country of {number} (`townhall trunk change NAME --country …`)"


def _rule_for(trunk: TrunkRules, number: str) -> PrefixRule | None:
    """The rule of the longest prefix."""
    rules = [rule for rule in trunk.rules if number.startswith(rule.prefix)]
    return max(rules, key=lambda rule: len(rule.prefix), default=None)


def _allows(trunk: TrunkRules, number: str) -> bool:
    """Countries are prefixes of E.164 numbers; what has no plus is the trunk's own short numbers."""
    if not number.startswith("+"):
        return bool(trunk.countries)
    return number.startswith(tuple(trunk.countries))
