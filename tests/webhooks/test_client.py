"""The webhook client against real servers on loopback: good, slow, down and talking rubbish."""

import asyncio

import pytest
from tests.harness.raw_server import answer, raw_server
from twilio.request_validator import RequestValidator

from townhall.twiml import FetchFailed
from townhall.webhooks import Cookies, OriginConsent, WebhookClient

TOKEN = "12345"
PARAMETERS = [("CallSid", "CA" + "1" * 32), ("From", "+15551234567"), ("Empty", "")]


def valid(asked, server) -> bool:
    """Whether Twilio's own validator accepts the request."""
    form = dict(asked.form)
    return bool(
        RequestValidator(TOKEN).validate(
            server.origin + asked.target, form, asked.headers["x-twilio-signature"]
        )
    )


async def test_post_carries_form_headers_and_a_valid_signature(client):
    async with raw_server(lambda asked: answer("<Response/>")) as server:
        page = await client.fetch(server.url("/voice?a=1&b=%20x"), "POST", PARAMETERS, Cookies())
    asked = server.asked[0]
    assert (asked.method, asked.target, asked.form) == ("POST", "/voice?a=1&b=%20x", PARAMETERS)
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded; charset=utf-8"
    assert asked.headers["user-agent"].startswith("TwilioProxy/1.1")
    assert valid(asked, server)
    assert (page.url, page.content_type, page.body) == (
        server.url("/voice?a=1&b=%20x"),
        "text/xml",
        b"<Response/>",
    )


async def test_get_merges_the_parameters_into_the_query_and_signs_it(client):
    async with raw_server(lambda asked: answer()) as server:
        page = await client.fetch(server.url("/voice?a=1"), "GET", PARAMETERS, Cookies())
    asked = server.asked[0]
    assert (asked.method, asked.body) == ("GET", b"")
    assert asked.query == [("a", "1"), *PARAMETERS]
    assert valid(asked, server)
    assert page.url == server.url("/voice?a=1")


@pytest.mark.parametrize("path", ["", "/", "?x=1", "/ünï?q=ä b", "/a%2Fb?x=%41", "/p;v=1?x=[1]&y='\""])
async def test_unusual_urls_are_signed_as_they_are_sent(client, path):
    async with raw_server(lambda asked: answer()) as server:
        await client.fetch(server.origin + path, "POST", PARAMETERS, Cookies())
        await client.fetch(server.origin + path, "GET", PARAMETERS, Cookies())
    assert all(valid(asked, server) for asked in server.asked)


async def test_unicode_and_repeated_parameters_are_signed(client):
    async with raw_server(lambda asked: answer()) as server:
        await client.fetch(server.url("/"), "POST", [("SpeechResult", "grüß Gott ☎ & more=1")], Cookies())
    assert valid(server.asked[0], server)


async def test_credentials_become_basic_and_stay_out_of_the_signature(client):
    async with raw_server(lambda asked: answer()) as server:
        await client.fetch(f"http://me:p%40ss@127.0.0.1:{server.port}/x", "POST", PARAMETERS, Cookies())
    assert server.asked[0].headers["authorization"] == "Basic bWU6cEBzcw=="
    assert valid(server.asked[0], server)


async def test_credentials_stay_out_of_the_failure(client):
    async with raw_server(lambda asked: answer("", 500)) as server:
        with pytest.raises(FetchFailed) as failed:
            await client.fetch(f"http://me:secret@127.0.0.1:{server.port}/x@y", "POST", [], Cookies())
    assert failed.value.url == server.url("/x@y")
    assert "secret" not in str(failed.value)


async def test_cookies_come_back_on_the_same_call_only(client):
    async with raw_server(
        lambda asked: answer("<Response/>", 200, "text/xml", "Set-Cookie: s=1; Path=/")
    ) as server:
        cookies = Cookies()
        await client.fetch(server.url("/"), "POST", [], cookies)
        await client.fetch(server.url("/"), "POST", [], cookies)
        await client.fetch(server.url("/"), "POST", [], Cookies())
    assert [asked.headers.get("cookie") for asked in server.asked] == [None, "s=1", None]


@pytest.mark.parametrize(("status", "method", "parameters"), [
    (301, "GET", []), (302, "GET", []), (303, "GET", []),
    (307, "POST", PARAMETERS), (308, "POST", PARAMETERS),
])  # fmt: skip
async def test_redirects_are_followed_and_signed_again(client, status, method, parameters):
    def handler(asked):
        return (
            answer("", status, "text/plain", "Location: /next?x=2") if asked.target == "/first" else answer()
        )

    async with raw_server(handler) as server:
        page = await client.fetch(server.url("/first"), "POST", PARAMETERS, Cookies())
    last = server.asked[-1]
    assert (last.method, last.target, last.form) == (method, "/next?x=2", parameters)
    assert valid(last, server)
    assert page.url == server.url("/next?x=2")


async def test_eleventh_redirect_is_11215(client):
    def handler(asked):
        return answer("", 302, "text/plain", f"Location: /{int(asked.target[1:]) + 1}")

    async with raw_server(handler) as server:
        with pytest.raises(FetchFailed, match="11215"):
            await client.fetch(server.url("/0"), "GET", [], Cookies())
    assert len(server.asked) == 11


@pytest.mark.parametrize("headers", [(), ("Location: ftp://x/",), ("Location: http://[/",)])
async def test_bad_redirects_are_11216(client, headers):
    async with raw_server(lambda asked: answer("", 302, "text/plain", *headers)) as server:
        with pytest.raises(FetchFailed, match="11216"):
            await client.fetch(server.url("/"), "GET", [], Cookies())


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_error_status_is_11217_even_with_twiml_and_not_tried_again(client, status):
    async with raw_server(lambda asked: answer("<Response/>", status)) as server:
        with pytest.raises(FetchFailed, match="11217") as failed:
            await client.fetch(server.url("/x"), "POST", [], Cookies())
    assert failed.value.url == server.url("/x")
    assert str(status) in failed.value.message
    assert len(server.asked) == 1


@pytest.mark.parametrize(("policy", "tries"), [("5xx", 3), ("all", 3), ("4xx", 1), ("ct", 1)])
async def test_retry_policy_of_the_fragment_decides_about_a_503(client, policy, tries):
    async with raw_server(lambda asked: answer("", 503)) as server:
        with pytest.raises(FetchFailed, match="11217"):
            await client.fetch(server.url(f"/#rc=2&rp={policy}"), "POST", PARAMETERS, Cookies())
    assert len(server.asked) == tries
    assert len({asked.headers["i-twilio-idempotency-token"] for asked in server.asked}) == 1
    assert all(valid(asked, server) for asked in server.asked)


async def test_retry_succeeds_after_a_failure(client):
    answers = [answer("", 500), answer("<Response/>")]
    async with raw_server(lambda asked: answers.pop(0)) as server:
        page = await client.fetch(server.url("/#rp=5xx"), "POST", [], Cookies())
    assert page.body == b"<Response/>"


async def test_refused_connection_is_11202():
    async with raw_server(lambda asked: answer()) as server:
        pass
    client = WebhookClient(TOKEN, OriginConsent(["*"]))
    with pytest.raises(FetchFailed, match="11202"):
        await client.fetch(server.url("/"), "POST", [], Cookies())
    await client.close()


async def test_unknown_host_is_11210(client):
    with pytest.raises(FetchFailed, match="11210"):
        await client.fetch("http://nowhere.invalid/", "POST", [], Cookies())


async def test_silent_server_is_11203_at_the_read_time_out(client):
    async def never(asked):
        await asyncio.Event().wait()

    async with raw_server(never) as server:
        with pytest.raises(FetchFailed, match="11203"):
            await client.fetch(server.url("/#rt=150"), "POST", [], Cookies())
    assert len(server.asked) == 1


async def test_dripping_server_is_11203_at_the_total_time_out(client):
    async with raw_server(lambda asked: b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome") as server:
        with pytest.raises(FetchFailed, match="11203"):
            await client.fetch(server.url("/#tt=200"), "POST", [], Cookies())


@pytest.mark.parametrize("raw", [
    b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    b"HTTP/1.1 abc\r\n\r\n",
    b"\x00\x01\x02\x03\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nbody",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nbodyb",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
])  # fmt: skip
async def test_rubbish_is_11206(client, raw):
    async with raw_server(lambda asked: raw + b"Connection: close") as server:
        with pytest.raises(FetchFailed, match="11206"):
            await client.fetch(server.url("/"), "POST", [], Cookies())


async def test_answer_cut_off_is_a_connection_failure(client):
    raw = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\nsome"
    async with raw_server(lambda asked: raw) as server:
        with pytest.raises(FetchFailed, match=r"1120[56]"):
            await client.fetch(server.url("/"), "POST", [], Cookies())


async def test_sound_in_place_of_a_document_may_be_longer(client):
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: audio/wav\r\n\r\n"
    async with raw_server(lambda asked: head + b"x" * 300_000) as server:
        page = await client.fetch(server.url("/"), "POST", [], Cookies())
    assert (page.content_type, len(page.body)) == ("audio/wav", 300_000)


@pytest.mark.parametrize("raw", [
    answer("x" * (64 * 1024 + 1)),
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 70_000,
])  # fmt: skip
async def test_document_over_64_kb_is_11750(client, raw):
    async with raw_server(lambda asked: raw) as server:
        with pytest.raises(FetchFailed, match="11750"):
            await client.fetch(server.url("/"), "POST", [], Cookies())


async def test_document_of_64_kb_is_taken(client):
    async with raw_server(lambda asked: answer("x" * 64 * 1024)) as server:
        assert len((await client.fetch(server.url("/"), "POST", [], Cookies())).body) == 64 * 1024


async def test_compressed_answer_is_refused(client):
    async with raw_server(
        lambda asked: answer(b"\x1f\x8b", 200, "text/xml", "Content-Encoding: gzip")
    ) as server:
        with pytest.raises(FetchFailed, match="11206"):
            await client.fetch(server.url("/"), "POST", [], Cookies())
    assert server.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "url", ["", "voice", "ftp://x/", "http://", "http:///x", "http://x:99999/", "http://[::1/"]
)
async def test_malformed_url_is_11100(client, url):
    with pytest.raises(FetchFailed, match="11100"):
        await client.fetch(url, "POST", [], Cookies())


async def test_connections_are_kept_and_a_stale_one_is_replaced(client):
    state = {"stale": False}

    def handler(asked):
        if state["stale"]:
            state["stale"] = False
            return None
        return answer()

    async with raw_server(handler) as server:
        for _ in range(3):
            await client.fetch(server.url("/"), "POST", [], Cookies())
        assert server.connections == 1
        state["stale"] = True
        await client.fetch(server.url("/"), "POST", [], Cookies())
    assert server.connections == 2


async def test_many_requests_at_once_are_all_answered(client):
    async with raw_server(lambda asked: answer()) as server:
        pages = await asyncio.gather(
            *(client.fetch(server.url("/"), "POST", [], Cookies()) for _ in range(100))
        )
    assert len(pages) == len(server.asked) == 100
