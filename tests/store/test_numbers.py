"""Numbers: what is kept, what is refused and in which words."""

import asyncio
from dataclasses import replace

import pytest

from townhall.store import Number, Store, StoreError

NUMBER = Number(
    "+15551234",
    "https://app.example.com/voice?a=1#ct=2000",
    "Front desk",
    "GET",
    "http://127.0.0.1/fallback",
    "GET",
    "http://[::1]:8000/status",
    "GET",
)


async def test_number_is_kept_whole(store: Store) -> None:
    assert await store.numbers.add(NUMBER) == NUMBER
    assert await store.numbers.get("+15551234") == NUMBER
    assert NUMBER.sid.startswith("PN")
    assert await store.numbers.get("15551234") is None


async def test_numbers_are_listed_in_order(store: Store) -> None:
    for number in ("alice", "1000", "+15551234"):
        await store.numbers.add(Number(number, "http://a"))
    assert [number.number for number in await store.numbers.list()] == ["+15551234", "1000", "alice"]


async def test_change_changes_what_is_named(store: Store) -> None:
    await store.numbers.add(NUMBER)
    changed = await store.numbers.change("+15551234", voice_url="http://b", status_callback=None)
    expected = replace(NUMBER, voice_url="http://b", status_callback=None, updated_at=changed.updated_at)
    assert changed == expected
    assert changed.updated_at > NUMBER.updated_at
    assert await store.numbers.get("+15551234") == changed


async def test_change_of_the_number_itself(store: Store) -> None:
    await store.numbers.add(NUMBER)
    await store.numbers.add(Number("2000", "http://a"))
    with pytest.raises(StoreError, match="number 2000 exists already"):
        await store.numbers.change("+15551234", number="2000")
    await store.numbers.change("+15551234", number="3000")
    assert [number.number for number in await store.numbers.list()] == ["2000", "3000"]


async def test_remove(store: Store) -> None:
    await store.numbers.add(NUMBER)
    await store.numbers.remove("+15551234")
    assert await store.numbers.list() == []


async def test_duplicate_is_refused_also_when_two_come_at_once(store: Store) -> None:
    results = await asyncio.gather(
        store.numbers.add(Number("1000", "http://a")),
        store.numbers.add(Number("1000", "http://b")),
        return_exceptions=True,
    )
    assert isinstance(results[0], Number)
    assert str(results[1]) == "number 1000 exists already; change it, or remove it first"
    assert [number.voice_url for number in await store.numbers.list()] == ["http://a"]


async def test_unknown_number_cannot_be_changed_or_removed(store: Store) -> None:
    with pytest.raises(StoreError, match="there is no number 1000"):
        await store.numbers.change("1000", friendly_name="x")
    with pytest.raises(StoreError, match="there is no number 1000"):
        await store.numbers.remove("1000")


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (replace(NUMBER, number=""), "number cannot be ''"),
        (replace(NUMBER, number="10 00"), "letters, digits"),
        (replace(NUMBER, number="x" * 65), "1 to 64"),
        (replace(NUMBER, number="sip:a@b"), "number cannot be"),
        (replace(NUMBER, voice_url="/voice"), "voice URL cannot be '/voice'; allowed: an absolute http"),
        (replace(NUMBER, voice_url="ftp://a/b"), "voice URL"),
        (replace(NUMBER, voice_url="http://"), "voice URL"),
        (replace(NUMBER, voice_url="http://[::1"), "voice URL"),
        (replace(NUMBER, voice_url="http://a/b c"), "voice URL"),
        (replace(NUMBER, voice_method="PUT"), "voice method cannot be 'PUT'; allowed: GET or POST"),
        (replace(NUMBER, voice_fallback_url=""), "fallback URL"),
        (replace(NUMBER, voice_fallback_method="get"), "fallback method"),
        (replace(NUMBER, status_callback="mailto:a@b"), "status callback"),
        (replace(NUMBER, status_callback_method=""), "status callback's method"),
    ],
)
async def test_bad_value_is_refused_in_words(store: Store, bad: Number, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        await store.numbers.add(bad)
    assert await store.numbers.list() == []


async def test_bad_change_changes_nothing(store: Store) -> None:
    await store.numbers.add(NUMBER)
    with pytest.raises(StoreError, match="voice URL"):
        await store.numbers.change("+15551234", voice_url="nonsense", friendly_name="new")
    assert await store.numbers.get("+15551234") == NUMBER
