"""The error log."""

from townhall.store import Store


async def test_notices_are_listed_newest_first_and_by_resource(store: Store) -> None:
    first = await store.notices.add(resource_sid="CA1", code=12100, level="error", message="not XML", url="u")
    second = await store.notices.add(resource_sid="CF1", code=16011, level="warning", message="hint")
    assert await store.notices.list() == [second, first]
    assert await store.notices.list(limit=1) == [second]
    assert await store.notices.list(resource_sid="CA1") == [first]
    assert first.sid.startswith("NO")
    assert (first.code, first.level, first.message, first.url) == (12100, "error", "not XML", "u")
