"""Audio files: cached by max-age, ETag and Last-Modified, bounded, shared by all calls."""

import asyncio

import pytest
from tests.harness.raw_server import answer, raw_server

from townhall.twiml import FetchFailed
from townhall.webhooks import AudioCache, Cookies, OriginConsent, WebhookClient


@pytest.fixture
def caching(tmp_path):
    return lambda **options: WebhookClient(
        "12345", OriginConsent(["*"]), cache=AudioCache(tmp_path / "audio", **options)
    )


def wav(body, *headers, status=200):
    return answer(body, status, "audio/wav", *headers)


async def test_fresh_file_is_asked_for_once_even_by_many_at_once(caching):
    client = caching()
    async with raw_server(lambda asked: wav("RIFF", "Cache-Control: max-age=60")) as server:
        pages = await asyncio.gather(
            *(client.fetch_audio(server.url("/a.wav"), Cookies()) for _ in range(20))
        )
    assert {(page.body, page.content_type) for page in pages} == {(b"RIFF", "audio/wav")}
    assert len(server.asked) == 1
    assert "x-twilio-signature" in server.asked[0].headers
    await client.close()


@pytest.mark.parametrize(("header", "condition"), [
    ('ETag: "v1"', ("if-none-match", '"v1"')),
    ("Last-Modified: Mon, 01 Jun 2026 10:00:00 GMT", ("if-modified-since", "Mon, 01 Jun 2026 10:00:00 GMT")),
])  # fmt: skip
async def test_file_with_a_validator_is_asked_for_again_and_304_keeps_it(caching, header, condition):
    def handler(asked):
        return wav("", status=304) if condition[0] in asked.headers else wav("RIFF", header)

    client = caching()
    async with raw_server(handler) as server:
        first = await client.fetch_audio(server.url("/a.wav"), Cookies())
        second = await client.fetch_audio(server.url("/a.wav"), Cookies())
    assert first == second
    assert server.asked[1].headers[condition[0]] == condition[1]
    await client.close()


async def test_validator_that_cannot_be_sent_back_is_left_out(caching):
    client = caching()
    async with raw_server(lambda asked: wav("RIFF", 'ETag: "ä"', "Cache-Control: max-age=0")) as server:
        for _ in range(2):
            assert (await client.fetch_audio(server.url("/a.wav"), Cookies())).body == b"RIFF"
    assert "if-none-match" not in server.asked[1].headers
    await client.close()


async def test_changed_file_replaces_the_old_one(caching):
    bodies = ["one", "two"]
    client = caching()
    async with raw_server(lambda asked: wav(bodies.pop(0), 'ETag: "x"')) as server:
        got = [(await client.fetch_audio(server.url("/a.wav"), Cookies())).body for _ in range(2)]
    assert got == [b"one", b"two"]
    await client.close()


@pytest.mark.parametrize("headers", [
    (), ("Cache-Control: no-store, max-age=60",), ("Cache-Control: private, max-age=60",),
    ("Cache-Control: max-age=60", "Vary: Accept, Cookie"), ("Cache-Control: max-age=0",),
    ("Cache-Control: no-cache, max-age=60",), ("Cache-Control: max-age=60", "Age: 60"),
    ("Cache-Control: max-age=x",),
])  # fmt: skip
async def test_file_that_may_not_be_kept_is_asked_for_each_time(caching, headers):
    client = caching()
    async with raw_server(lambda asked: wav("RIFF", *headers)) as server:
        for _ in range(2):
            await client.fetch_audio(server.url("/a.wav"), Cookies())
    assert len(server.asked) == 2
    await client.close()


async def test_cache_survives_a_restart(caching):
    async with raw_server(lambda asked: wav("RIFF", "Cache-Control: max-age=60")) as server:
        for _ in range(2):
            client = caching()
            await client.fetch_audio(server.url("/a.wav"), Cookies())
            await client.close()
    assert len(server.asked) == 1


async def test_least_used_file_goes_first_when_the_cache_is_full(caching):
    client = caching(most_bytes=2500)
    async with raw_server(lambda asked: wav("x" * 1000, "Cache-Control: max-age=60")) as server:
        for path in ("/a", "/b", "/a", "/c", "/a", "/b"):
            await client.fetch_audio(server.url(path), Cookies())
    assert [asked.target for asked in server.asked] == ["/a", "/b", "/c", "/b"]
    await client.close()


async def test_damaged_entry_is_fetched_again(caching, tmp_path):
    client = caching()
    async with raw_server(lambda asked: wav("RIFF", "Cache-Control: max-age=60")) as server:
        await client.fetch_audio(server.url("/a"), Cookies())
        (entry,) = (tmp_path / "audio").glob("*.audio")
        entry.write_bytes(b"\x00 no entry")
        assert (await client.fetch_audio(server.url("/a"), Cookies())).body == b"RIFF"
    assert len(server.asked) == 2
    await client.close()


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "image/png", "video/mp4"])
async def test_file_of_another_type_is_12300(caching, content_type):
    client = caching()
    async with raw_server(lambda asked: answer("x", 200, content_type)) as server:
        with pytest.raises(FetchFailed, match="12300"):
            await client.fetch_audio(server.url("/a"), Cookies())
    await client.close()


async def test_failure_for_one_caller_does_not_lock_out_the_next(caching):
    answers = [answer("", 500), wav("RIFF")]
    client = caching()
    async with raw_server(lambda asked: answers.pop(0)) as server:
        with pytest.raises(FetchFailed):
            await client.fetch_audio(server.url("/a"), Cookies())
        assert (await client.fetch_audio(server.url("/a"), Cookies())).body == b"RIFF"
    await client.close()
