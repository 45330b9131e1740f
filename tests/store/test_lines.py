"""Lines: what is kept, what is refused and in which words, and the line of a fresh install."""

from dataclasses import replace

import pytest

from townhall.store import Line, Number, Store, StoreError

LINE = Line("2000", "Prayer", "Welcome!", "1234", "987654", "alice", "de-DE", "/music.ogg", 40)


async def test_line_is_kept_whole(store: Store) -> None:
    assert await store.lines.add(LINE) == LINE
    assert await store.lines.get("2000") == LINE
    assert await store.lines.get("2001") is None


async def test_default_and_silent_music_are_told_apart(store: Store) -> None:
    await store.lines.add(Line("1", "a", music=""))
    await store.lines.add(Line("2", "b"))
    assert [line.music for line in await store.lines.list()] == ["", None]


async def test_change_changes_what_is_named(store: Store) -> None:
    await store.lines.add(LINE)
    changed = await store.lines.change("2000", moderator_pin=None, music="")
    assert changed == replace(LINE, moderator_pin=None, music="")
    assert await store.lines.get("2000") == changed
    await store.lines.change("2000", number="2001")
    assert [line.number for line in await store.lines.list()] == ["2001"]


async def test_duplicate_and_unknown_lines_are_refused(store: Store) -> None:
    await store.lines.add(LINE)
    await store.lines.add(replace(LINE, number="3000"))
    with pytest.raises(StoreError, match="line 2000 exists already"):
        await store.lines.add(LINE)
    with pytest.raises(StoreError, match="line 3000 exists already"):
        await store.lines.change("2000", number="3000")
    with pytest.raises(StoreError, match="there is no line 4000"):
        await store.lines.change("4000", welcome=None)
    with pytest.raises(StoreError, match="there is no line 4000"):
        await store.lines.remove("4000")


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (replace(LINE, number="a b"), "number cannot be 'a b'"),
        (replace(LINE, conference_name=""), "conference's name"),
        (replace(LINE, conference_name=" room"), "conference's name"),
        (replace(LINE, conference_name="x" * 129), "1 to 128 characters"),
        (replace(LINE, conference_name="CF" + "0" * 32), "Conference SID"),
        (replace(LINE, speaker_pin="12a4"), "speaker's PIN"),
        (replace(LINE, moderator_pin="123"), "moderator's PIN .* 4 to 12 digits"),
        (replace(LINE, moderator_pin=""), "moderator's PIN"),
        (replace(LINE, welcome="x" * 4097), "4097 characters"),
        (replace(LINE, language="german!"), "language"),
        (replace(LINE, voice="a voice"), "voice"),
        (replace(LINE, music="a file.wav"), "music"),
        (replace(LINE, max_participants=1), "2 to 250"),
        (replace(LINE, max_participants=251), "2 to 250"),
    ],
)
async def test_bad_value_is_refused_in_words(store: Store, bad: Line, words: str) -> None:
    with pytest.raises(StoreError, match=words) as caught:
        await store.lines.add(bad)
    assert "12a4" not in str(caught.value)


async def test_fresh_install_has_line_1000_without_pins(store: Store) -> None:
    line = await store.lines.ensure_default()
    assert line is not None
    assert (line.number, line.conference_name) == ("1000", "Town Hall")
    assert (line.speaker_pin, line.moderator_pin) == (None, None)
    assert await store.lines.list() == [line]
    assert await store.lines.ensure_default() is None


async def test_removed_default_line_does_not_come_back(url: str) -> None:
    store = await Store.open(url)
    await store.lines.ensure_default()
    await store.lines.remove("1000")
    await store.close()
    store = await Store.open(url)
    assert await store.lines.ensure_default() is None
    assert await store.lines.list() == []
    await store.close()


async def test_operators_own_setup_gets_no_default_line(store: Store) -> None:
    await store.numbers.add(Number("1000", "http://a"))
    assert await store.lines.ensure_default() is None
    assert await store.lines.list() == []


async def test_pins_stay_out_of_a_lines_repr() -> None:
    assert "987654" not in repr(LINE)
    assert "1234" not in repr(LINE)
