"""What was requested for whom: a call's events, and the request that a notice is about."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from townhall.calls.journal import StoreJournal
from townhall.store import Store
from townhall.twiml.control import Notice
from townhall.webhooks import Exchanged

CALL, ROOM = "CA" + "1" * 32, "CF" + "2" * 32
ASKED = Exchanged(
    "http://app.example/voice?a=b",
    "POST",
    (("CallSid", CALL), ("From", "Zoë & co")),
    200,
    (("content-type", "text/xml"),),
    b"<Nonsense/>",
    None,
    0.25,
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path}/townhall.db")
    yield opened
    await opened.close()


@pytest.fixture
def journal(store: Store) -> StoreJournal:
    return StoreJournal(store)


async def test_request_of_a_call_is_one_of_its_events(store: Store, journal: StoreJournal) -> None:
    journal.requests.watch(ASKED)
    journal.requests.watch(replace(ASKED, status=None, error="11203: no answer", body=b""))
    await store.settled()
    first, second = await store.events.list(CALL)
    assert (first.method, first.url, first.status, first.duration_ms) == ("POST", ASKED.url, 200, 250)
    assert first.parameters == ASKED.parameters
    assert (first.content_type, first.body) == ("text/xml", "<Nonsense/>")
    assert (second.status, second.error) == (None, "11203: no answer")


async def test_request_about_a_conference_is_no_event_of_a_call(store: Store, journal: StoreJournal) -> None:
    about = (("CallSid", CALL), ("ConferenceSid", ROOM), ("StatusCallbackEvent", "participant-join"))
    journal.requests.watch(replace(ASKED, parameters=about))
    journal.requests.watch(replace(ASKED, parameters=(("ConferenceSid", ROOM),)))
    await store.settled()
    assert await store.events.list(CALL) == []


async def test_notice_carries_the_request_that_it_is_about(store: Store, journal: StoreJournal) -> None:
    journal.requests.watch(ASKED)
    journal.notice(CALL, Notice(12200, "warning", "unknown verb", "http://app.example/voice"))
    await store.settled()
    (notice,) = await store.notices.list()
    assert notice.request_method == "POST"
    assert notice.request_variables == f"CallSid={CALL}&From=Zo%C3%AB+%26+co"
    assert notice.response_headers == "content-type=text%2Fxml"
    assert notice.response_body == "<Nonsense/>"


async def test_notice_about_another_url_carries_no_request(store: Store, journal: StoreJournal) -> None:
    journal.requests.watch(ASKED)
    journal.notice(CALL, Notice(11200, "error", "no audio", "http://app.example/sound.mp3"))
    journal.notice(ROOM, Notice(16011, "warning", "given up", ""))
    await store.settled()
    assert {notice.request_method for notice in await store.notices.list()} == {None}
