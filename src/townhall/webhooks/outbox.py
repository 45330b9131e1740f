"""Callbacks that are not delivered yet, and where they are kept meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import msgspec

Pairs = tuple[tuple[str, str], ...]


class Kept(Protocol):
    """A callback as an outbox kept it."""

    @property
    def number(self) -> int: ...
    @property
    def resource_sid(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def parameters(self) -> Pairs: ...
    @property
    def consented(self) -> bool: ...
    @property
    def attempts(self) -> int: ...
    @property
    def at(self) -> datetime: ...


class Outbox(Protocol):
    """Keeps callbacks until they are delivered or given up; every change returns at once.

    `number` is the order of sending. `townhall.store` has one on disk; the server plugs it in.
    """

    async def due(self) -> Sequence[Kept]:
        """All that an earlier process left, in the order of sending."""

    def add(
        self,
        number: int,
        *,
        resource_sid: str,
        url: str,
        method: str,
        parameters: Pairs,
        consented: bool,
        at: datetime,
    ) -> None: ...

    def done(self, number: int) -> None:
        """Delivered, or given up."""

    def failed(self, number: int, attempts: int) -> None:
        """Tried once more, in vain."""


class NoOutbox:
    """Keeps nothing: what is waiting when the process ends is lost."""

    async def due(self) -> Sequence[Kept]:
        return ()

    def add(
        self,
        number: int,
        *,
        resource_sid: str,
        url: str,
        method: str,
        parameters: Pairs,
        consented: bool,
        at: datetime,
    ) -> None: ...

    def done(self, number: int) -> None: ...

    def failed(self, number: int, attempts: int) -> None: ...


@dataclass(slots=True, eq=False)
class Callback:
    """One callback that waits. Its parameters are encoded: tens of thousands may wait for a dead receiver."""

    number: int
    resource_sid: str
    url: str
    method: str
    encoded: bytes
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    attempts: int = 0

    @property
    def parameters(self) -> Pairs:
        return msgspec.json.decode(self.encoded, type=Pairs)


def encode(parameters: Pairs) -> bytes:
    return msgspec.json.encode([[_text(name), _text(value)] for name, value in parameters])


def _text(value: str) -> str:
    """Lone surrogates, which JSON cannot hold, become question marks."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()
