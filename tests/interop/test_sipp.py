"""SIPp, a SIP stack that nobody here wrote, plays every flow in `scenarios/` against the server."""

from pathlib import Path

import pytest
from tests.harness.documents import pause, role
from tests.harness.sipp import SCENARIOS, play_scenario
from tests.harness.story import Story

IN_A_CONFERENCE = [
    "call",
    "hold_and_resume",
    "hold_the_old_way",
    "late_offer",
    "offerless_reinvite",
    "prack",
    "retransmitted_invite",
    "session_timer",
    "update",
]
SENDS_AHEAD = "retransmitted_invite"
"""It sends three times without looking: on a busy machine the ringing comes in between."""

REFUSED = [
    "no_common_codec",
    "options",
    "required_extension",
    "session_too_short",
    "strange_body",
    "unknown_dialog",
    "unknown_method",
]
OTHERS = ["cancel", "hung_up_on", "lost_ack", "unknown_number"]


def test_every_scenario_is_played() -> None:
    assert sorted([*IN_A_CONFERENCE, *REFUSED, *OTHERS]) == sorted(
        file.stem for file in SCENARIOS.glob("*.xml")
    )


@pytest.mark.parametrize("scenario", IN_A_CONFERENCE)
async def test_flow_with_an_answered_call_goes_as_it_should(
    story: Story, tmp_path: Path, scenario: str
) -> None:
    story.answer_anybody(role("listener", story.room, **story.events))
    patient = scenario == SENDS_AHEAD
    await play_scenario(scenario, story.server, story.number, tmp_path, patient=patient)
    assert story.paths("sipp") == ["/voice"], "one call asks once"
    await story.told("participant-join", "participant-leave", "conference-end")


@pytest.mark.parametrize("scenario", ["call", "hold_and_resume", "late_offer", "retransmitted_invite"])
async def test_flow_over_tcp_goes_as_it_should(story: Story, tmp_path: Path, scenario: str) -> None:
    story.answer_anybody(role("listener", story.room, **story.events))
    patient = scenario == SENDS_AHEAD
    await play_scenario(scenario, story.server, story.number, tmp_path, transport="t1", patient=patient)
    assert story.paths("sipp") == ["/voice"]
    await story.told("participant-join", "participant-leave", "conference-end")


@pytest.mark.parametrize("scenario", REFUSED)
async def test_flow_that_is_refused_asks_no_webhook(story: Story, tmp_path: Path, scenario: str) -> None:
    story.answer_anybody(role("listener", story.room))
    await play_scenario(scenario, story.server, story.number, tmp_path)
    assert story.paths("sipp") == []


async def test_answer_is_repeated_until_the_ack_comes(story: Story, tmp_path: Path) -> None:
    story.answer_anybody(role("listener", story.room, **story.events))
    log = await play_scenario("lost_ack", story.server, story.number, tmp_path)
    answers = [message for message in log.split("UDP message")[1:] if "received" in message.split("\n")[0]]
    assert sum("SIP/2.0 200" in answer and "1 INVITE" in answer for answer in answers) >= 3
    assert story.paths("sipp") == ["/voice"]
    await story.told("participant-join", "participant-leave", "conference-end")


async def test_unknown_number_is_not_found(story: Story, tmp_path: Path) -> None:
    await play_scenario("unknown_number", story.server, "999999", tmp_path)


async def test_cancel_while_it_rings_ends_the_call(story: Story, tmp_path: Path) -> None:
    story.answer_anybody(pause(10))
    await play_scenario("cancel", story.server, story.number, tmp_path)
    assert story.paths("sipp") in ([], ["/voice"]), "the CANCEL may come before the document is asked for"
    await story.server_is_empty()


async def test_call_that_its_document_ends_is_hung_up(story: Story, tmp_path: Path) -> None:
    story.answer_anybody("<Response><Gather timeout='1'/></Response>")
    await play_scenario("hung_up_on", story.server, story.number, tmp_path)
    assert story.paths("sipp") == ["/voice"]


async def test_calls_one_after_the_other_leave_nothing_behind(story: Story, tmp_path: Path) -> None:
    story.answer_anybody(role("listener", story.room))
    await play_scenario("call", story.server, story.number, tmp_path, calls=5)
    assert story.paths("sipp") == ["/voice"] * 5
    await story.server_is_empty()
