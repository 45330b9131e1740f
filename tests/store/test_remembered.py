"""Look-ups that every call makes: remembered for a second, and never after a change of our own."""

import asyncio

import pytest

from townhall.store import Line, Number, Store
from townhall.store.remembered import LIFETIME_S, MOST, Remembered


class Table:
    """A table that counts how often it is read, and its clock."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.reads = 0
        self.time = 0.0

    async def read(self, key: str) -> str | None:
        self.reads += 1
        return self.rows.get(key)


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def remembered(table: Table) -> Remembered[str]:
    return Remembered(lambda: table.time)


async def test_answer_is_read_once_a_second(table: Table, remembered: Remembered[str]) -> None:
    async def get() -> str | None:
        return await remembered.get("1000", lambda: table.read("1000"))

    assert [await get(), await get()] == [None, None]
    assert table.reads == 1
    table.rows["1000"] = "there"
    table.time = LIFETIME_S
    assert [await get(), await get()] == ["there", "there"]
    assert table.reads == 2


async def test_read_that_a_change_overtook_is_not_remembered(
    table: Table, remembered: Remembered[str]
) -> None:
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> str | None:
        found = await table.read("1000")
        reading.set()
        await go_on.wait()
        return found

    late = asyncio.create_task(remembered.get("1000", slow))
    await reading.wait()
    table.rows["1000"] = "there"
    remembered.forget()
    go_on.set()
    assert await late is None
    assert await remembered.get("1000", lambda: table.read("1000")) == "there"


async def test_read_under_way_is_shared_and_survives_who_began_it(
    table: Table, remembered: Remembered[str]
) -> None:
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> str | None:
        reading.set()
        await go_on.wait()
        return await table.read("1000")

    table.rows["1000"] = "there"
    first, *others = [asyncio.create_task(remembered.get("1000", slow)) for _ in range(3)]
    await reading.wait()
    first.cancel()
    go_on.set()
    assert await asyncio.gather(*others) == ["there", "there"]
    assert table.reads == 1


async def test_read_that_fails_is_told_to_all_and_tried_again(remembered: Remembered[str]) -> None:
    async def failing() -> str | None:
        raise OSError("gone")

    async def found() -> str | None:
        return "there"

    asked = [remembered.get("1000", failing) for _ in range(2)]
    failures = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(failure) for failure in failures] == ["gone", "gone"]
    assert await remembered.get("1000", found) == "there"


async def test_memory_is_bounded(table: Table, remembered: Remembered[str]) -> None:
    for number in range(MOST + 1):
        await remembered.get(str(number), lambda: table.read("x"))
    await remembered.get(str(MOST), lambda: table.read("x"))
    assert table.reads == MOST + 1
    await remembered.get("0", lambda: table.read("x"))
    assert table.reads == MOST + 2


async def test_own_changes_count_at_once(store: Store) -> None:
    assert await store.numbers.get("1") is None
    await store.numbers.add(Number("1", "http://a"))
    number = await store.numbers.get("1")
    assert number is not None
    changed = await store.numbers.change("1", voice_url="http://b")
    assert await store.numbers.get("1") == changed
    await store.numbers.remove("1")
    assert await store.numbers.get("1") is None

    assert await store.lines.get("2") is None
    await store.lines.add(Line("2", "room"))
    assert await store.lines.get("2") is not None
    await store.lines.remove("2")
    assert await store.lines.get("2") is None
