"""A Twilio customer's Flask application as the webhook of a number, with `RequestValidator` as the judge."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from tests.harness.server import AUTH_TOKEN, TownhallServer
from tests.harness.story import Story
from tests.interop.conference_app import create_app
from werkzeug.serving import make_server

NUMBER = "3000"


@pytest.fixture(scope="module")
def application(server: TownhallServer) -> Iterator[Flask]:
    app = create_app(AUTH_TOKEN, "a customer's room")
    web = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    server.command("number", "add", NUMBER, f"http://127.0.0.1:{web.server_port}/voice")
    yield app
    web.shutdown()
    thread.join()
    web.server_close()


async def test_customers_application_moderates_a_conference(story: Story, application: Flask) -> None:
    for name in ("listener", "speaker", "moderator"):
        await story.dial(name, NUMBER)
    callers = story.callers
    await asyncio.gather(*(caller.call.hears("sound") for caller in callers.values()))
    await asyncio.gather(callers["listener"].press("1"), callers["speaker"].press("2"))
    await callers["moderator"].press("9")
    quiet = await callers["moderator"].call.hears("silence")
    await asyncio.gather(*(callers[name].call.hears("music") for name in ("listener", "speaker")))
    await callers["moderator"].call.hears("sound", since=quiet)
    await callers["moderator"].press("3")
    await story.hear({"listener": "speaker moderator", "speaker": "moderator", "moderator": "speaker"})

    await callers["moderator"].hang_up()
    await story.all_ended("listener", "speaker")
    assert application.config["refused"] == []
    left = sorted(application.config["left"])
    assert [(role, status) for role, status, _ in left if role != "moderator"] == [
        ("listener", "answered"),
        ("speaker", "answered"),
    ]
    # The session cookie is each call's own: the menu was asked for twice (first and with Digits).
    assert {visits for role, _, visits in left if role != "moderator"} == {2}


async def test_customers_application_refuses_who_signs_with_another_token(application: Flask) -> None:
    client = application.test_client()
    answer = client.post("/voice", data={"CallSid": "CA0"}, headers={"X-Twilio-Signature": "forged"})
    assert answer.status_code == 403
    application.config["refused"].clear()
