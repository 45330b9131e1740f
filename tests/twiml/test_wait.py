"""What those hear who wait: documents, audio, loops, and how each ends."""

import asyncio

import pytest
from tests.harness.call_script import ScriptedControl, page
from tests.harness.virtual_time import run_virtual

from townhall.twiml import CallEnded, DocumentRequest, FetchFailed, check_wait_page, run_wait_document

WAIT = "https://app.example/wait"
REQUEST = DocumentRequest(WAIT)


def waited(answer, for_s=30.0, first_page=None, loop_audio=True, **script):
    """Let a caller wait; what he heard until the conference started after `for_s` seconds."""

    async def run():
        control = ScriptedControl(pages={WAIT: answer, **script.pop("pages", {})}, **script)
        await control.answer()
        task = asyncio.create_task(run_wait_document(control, REQUEST, first_page, loop_audio))
        await asyncio.wait((task,), timeout=for_s)
        ended = task.done()
        task.cancel()
        if ended:
            task.result()
        else:
            with pytest.raises(asyncio.CancelledError):
                await task
        return control, ended

    return run_virtual(run())


def test_document_that_ends_leaves_silence_and_is_not_asked_for_again():
    control, ended = waited("<Say>Please wait</Say><Pause length='2'/><Play>/m.mp3</Play>")
    assert control.heard[1:] == [
        f"POST {WAIT}",
        "say Please wait",
        "pause 2",
        "play https://app.example/m.mp3",
    ]
    assert ended


def test_start_of_the_conference_stops_it_mid_word():
    control, ended = waited("<Say>Please wait</Say>", for_s=1.5)
    assert control.log[-1] == (1.5, "stopped")
    assert not ended


def test_redirect_loops_with_a_second_between_documents():
    control, _ = waited("<Redirect/>", for_s=10.5)
    assert control.request_times == [float(n) for n in range(11)]


def test_redirect_goes_to_another_document():
    control, _ = waited(
        "<Redirect method='GET'>more</Redirect>", pages={"https://app.example/more": "<Say>More</Say>"}
    )
    assert control.heard[-2:] == ["GET https://app.example/more", "say More"]


def test_audio_answer_loops_until_the_start():
    control, ended = waited(page(b"x", WAIT, "audio/mpeg"), for_s=10.0)
    assert control.heard[2:] == [f"play the answer of {WAIT} x1000"] * 4 + ["stopped"]
    assert not ended


def test_audio_of_a_hold_url_is_played_once():
    control, ended = waited(page(b"x", WAIT, "audio/mpeg"), loop_audio=False)
    assert control.heard[2:] == [f"play the answer of {WAIT}"]
    assert ended


def test_empty_audio_file_does_not_spin():
    control, _ = waited(page(b"x", WAIT, "audio/mpeg"), for_s=10.5, lasts_s=0.0)
    assert len(control.heard) == 2 + 11


def test_first_page_already_fetched_is_not_asked_for_again():
    control, _ = waited("<Say>Other</Say>", first_page=page("<Response><Say>First</Say></Response>", WAIT))
    assert control.heard[1:] == ["say First"]


@pytest.mark.parametrize(("answer", "code"), [
    (FetchFailed(11217, WAIT, "status 500"), 11217),
    (page("rubbish", WAIT), 12100),
    (page("x", WAIT, "image/png"), 12300),
    (page("x", WAIT, ""), 12300),
    ("<Dial>1</Dial>", 13238),
    ("<Gather/>", 13238),
    ("<Say>A</Say><Hangup/>", 13238),
    ("<Play digits='1'/>", 13238),
])  # fmt: skip
def test_unusable_first_document_raises(answer, code):
    with pytest.raises(FetchFailed) as failed:
        waited(answer)
    assert failed.value.code == code


def test_unusable_later_document_is_reported_and_leaves_silence():
    control, ended = waited(["<Say>A</Say><Redirect/>", "<Hangup/>"])
    assert ended
    assert control.codes == [13238]


def test_hang_up_of_the_caller_goes_through():
    with pytest.raises(CallEnded):
        waited("<Say>A</Say>", hangs_up_at=1.0)


def test_plain_text_is_spoken():
    control, _ = waited(page("Just a moment", WAIT, "text/plain"))
    assert control.heard[-1] == "say Just a moment"


def test_check_tells_before_admission():
    assert check_wait_page(page(b"", WAIT, "audio/wav")) is None
    assert check_wait_page(page("<Response/>", WAIT)) is not None
    with pytest.raises(FetchFailed, match="13238"):
        check_wait_page(page("<Response><Reject/></Response>", WAIT))
