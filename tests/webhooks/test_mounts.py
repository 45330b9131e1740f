"""Our own applications, reached without a network hop: same requests, same rules."""

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from townhall.twiml import FetchFailed
from townhall.twiml.limits import DOCUMENT_BYTES
from townhall.webhooks import Cookies, OriginConsent, WebhookClient
from townhall.webhooks.mounts import MountedTransport

BASE = "http://127.0.0.1:8080"


async def _echo(request):
    form = await request.form()
    valid = RequestValidator("12345").validate(str(request.url), form, request.headers["x-twilio-signature"])
    made = Response(f"{valid} {dict(form)} {request.cookies}", media_type="text/xml")
    made.set_cookie("seen", "1")
    return made


async def _fail(request):
    raise RuntimeError("a fault of the application")


async def _long(request):
    return Response(b"<!--" + bytes(DOCUMENT_BYTES), media_type="text/xml")


async def _redirect(request):
    return RedirectResponse("/app/echo", 307)


@pytest.fixture
async def mounted():
    routes = [
        Route("/app/echo", _echo, methods=["GET", "POST"]),
        Route("/app/fail", _fail, methods=["POST"]),
        Route("/app/long", _long, methods=["POST"]),
        Route("/app/redirect", _redirect, methods=["POST"]),
    ]
    client = WebhookClient("12345", OriginConsent(), mounts={BASE + "/": Starlette(routes=routes)})
    yield client
    await client.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_mounted_application_gets_a_signed_request(mounted, method):
    page = await mounted.fetch(BASE + "/app/echo?x=1", method, [("Digits", "1")], Cookies())
    assert page.body.startswith(b"True ")


async def test_cookies_and_redirects_work_as_over_the_network(mounted):
    cookies = Cookies()
    await mounted.fetch(BASE + "/app/echo", "POST", [], cookies)
    page = await mounted.fetch(BASE + "/app/redirect", "POST", [("Digits", "4")], cookies)
    assert page.body == b"True {'Digits': '4'} {'seen': '1'}"
    assert page.url == BASE + "/app/echo"


async def test_fault_of_the_application_is_an_ordinary_failure(mounted):
    with pytest.raises(FetchFailed, match="11217"):
        await mounted.fetch(BASE + "/app/fail", "POST", [], Cookies())


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:80801/app/echo",
        "http://127.0.0.1:808/app/echo",
        "http://127.0.0.1:8080@127.0.0.1:1/",
    ],
)
async def test_other_origins_do_not_reach_the_mount(mounted, url):
    with pytest.raises(FetchFailed):
        await mounted.fetch(url, "POST", [], Cookies())


async def test_file_that_is_streamed_comes_whole_and_in_ranges(tmp_path):
    file = tmp_path / "sound"
    file.write_bytes(bytes(range(256)) * 1_000)

    async def serve(request):
        return FileResponse(file)

    app = Starlette(routes=[Route("/sound", serve)])
    async with httpx2.AsyncClient(transport=MountedTransport(app), base_url="http://inner.test") as client:
        assert (await client.get("/sound")).content == file.read_bytes()
        part = await client.get("/sound", headers={"range": "bytes=100-200099"})
        assert (part.status_code, part.content) == (206, file.read_bytes()[100:200_100])


async def test_cookie_of_a_mount_comes_back_with_the_next_request(mounted):
    cookies = Cookies()
    first = await mounted.fetch(BASE + "/app/echo", "POST", [("Digits", "1")], cookies)
    again = await mounted.fetch(BASE + "/app/echo", "POST", [("Digits", "1")], cookies)
    assert (first.body, again.body) == (b"True {'Digits': '1'} {}", b"True {'Digits': '1'} {'seen': '1'}")


async def test_body_of_a_mount_is_held_to_the_same_limit(mounted):
    with pytest.raises(FetchFailed, match="11750"):
        await mounted.fetch(BASE + "/app/long", "POST", [], Cookies())
