"""Who was refused calls again, and keeps his role and his place."""

from typing import cast

import pytest

from townhall.bench.load import capacity
from townhall.bench.load.capacity import CapacityCourse
from townhall.bench.phones.calling import Answered, Caller, Key
from townhall.signalling import OutgoingSession


class Refusing:
    """Answers each phone from its second call on; notes who called and which keys were pressed."""

    def __init__(self) -> None:
        self.called: list[int] = []
        self.pressed: dict[int, Key] = {}

    async def call(self, phone: int, uri: str) -> Answered | None:
        self.called.append(phone)
        if self.called.count(phone) < 2:
            return None
        return Answered(phone, cast(OutgoingSession, None), 1.0)

    async def press(self, answered: Answered, key: Key) -> None:
        self.pressed[answered.phone] = key


async def test_refused_phones_call_again_until_all_are_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "_AGAIN_AFTER_S", 0.0)
    course = CapacityCourse([5], 2, calls_a_second=4000.0)
    caller = Refusing()
    calls = [Answered(3, cast(OutgoingSession, None), 1.0)]
    await course._call_again(cast(Caller, caller), calls, "sip:1000@x", 5, lambda doing, done: None)
    assert [call.phone for call in calls] == [0, 1, 2, 3, 4]
    assert caller.called == [0, 1, 2, 4, 0, 1, 2, 4]
    assert caller.pressed == {0: "3", 1: "2", 2: "1", 4: "1"}
