"""A webhook that is down, slow or talks rubbish: the fallback is asked, and if that fails too, we apologise
and hang up.
"""

import socket
import threading

import pytest
from tests.harness.documents import role
from tests.harness.story import Story
from tests.harness.webhook import Answer

FAULTS = {
    "error-500": (Answer("<Response/>", status=500), "11217"),
    "not-found": (Answer("nothing here", "text/plain", 404), "11217"),
    "rubbish": (Answer("<Response><Say>hello", "text/xml"), "12100"),
    "other-root": (Answer("<html><body>hello</body></html>", "text/html"), "12102"),
    "picture": (Answer(b"\x89PNG", "image/png"), "12300"),
    "empty": (Answer(b"", "text/xml"), "11770"),
    "too-long": (Answer(f"<Response><!-- {'x' * 70000} --></Response>", "text/xml"), "11750"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_faulty_document_leads_to_the_fallback(story: Story, fault: str) -> None:
    answer, code = FAULTS[fault]
    story.on("/fallback", role("listener", story.room))
    await story.call("caller", answer)
    request = await story.requested("/fallback", "caller")
    assert request.parameters["ErrorUrl"] == story.url("/voice")
    assert request.parameters["ErrorCode"] == code
    await story.hear({"caller": "music"})


async def test_webhook_that_is_down_leads_to_the_fallback(story: Story) -> None:
    with socket.socket() as bound_but_deaf:
        bound_but_deaf.bind(("127.0.0.1", 0))
        port = bound_but_deaf.getsockname()[1]
        origin = story.webhook.url.rpartition(":")[0]
        story.on("/fallback", role("listener", story.room))
        document = f"<Response><Redirect>{origin}:{port}/voice</Redirect></Response>"
        await story.call("caller", document)
        request = await story.requested("/fallback", "caller")
    assert request.parameters["ErrorUrl"] == f"{origin}:{port}/voice"
    await story.hear({"caller": "music"})


async def test_webhook_that_is_slow_leads_to_the_fallback(story: Story) -> None:
    hold = threading.Event()
    story.on("/slow", Answer("<Response/>", hold=hold))
    story.on("/fallback", role("listener", story.room))
    slow = f"{story.url('/slow')}#rt=300&amp;tt=400"
    await story.call("caller", f"<Response><Redirect>{slow}</Redirect></Response>")
    request = await story.requested("/fallback", "caller")
    hold.set()
    assert request.parameters["ErrorUrl"].partition("#")[0] == story.url("/slow")
    await story.hear({"caller": "music"})


async def test_webhook_that_hangs_up_leads_to_the_fallback(story: Story) -> None:
    story.on("/fallback", role("listener", story.room))
    await story.call("caller", Answer(hang_up=True))
    await story.requested("/fallback", "caller")
    await story.hear({"caller": "music"})


async def test_fallback_that_fails_too_leads_to_an_apology_and_a_hang_up(story: Story) -> None:
    story.on("/fallback", Answer("no", "text/plain", 500))
    caller = await story.call("caller", Answer("no", "text/plain", 500))
    await caller.call.hears("sound")
    await story.all_ended("caller", within_s=20)
    assert story.paths("caller") == ["/voice", "/fallback"]


async def test_fault_of_one_callers_webhook_does_not_touch_the_conference(story: Story) -> None:
    await story.call("moderator", role("moderator", story.room))
    await story.call("speaker", role("speaker", story.room))
    await story.hear({"moderator": "speaker", "speaker": "moderator"})
    story.on("/fallback", role("listener", story.room))
    await story.call("unlucky", Answer(b"\xff\xfe\x00", "text/xml"))
    await story.hear({"moderator": "speaker", "speaker": "moderator", "unlucky": "moderator speaker"})
