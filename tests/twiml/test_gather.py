"""`<Gather>` for keys, semantics 1 to 7 of the TwiML sheet, on virtual time."""

import pytest
from tests.harness.call_script import BASE, run_script

MENU = '<Gather numDigits="1" action="/menu"><Say>Press a key</Say></Gather><Say>Nothing</Say>'
ACTION = "https://app.example/menu"
NEXT = {ACTION: "<Hangup/>"}


def test_key_during_prompt_stops_it_at_once_and_counts():
    call = run_script(MENU, keys={1.25: "2"}, pages=NEXT)
    assert call.log[1:] == [
        (0.0, "answer"),
        (0.0, "say Press a key"),
        (1.25, "stopped"),
        (1.25, f"POST {ACTION}"),
        (1.25, "hang up"),
    ]
    assert call.requests[1].parameters == (("Digits", "2"), ("FinishedOnKey", ""), ("msg", "Gather End"))


def test_clock_starts_when_prompts_end_and_next_verb_runs_without_key():
    call = run_script(MENU)
    assert call.log[3:] == [(8.0, "say Nothing"), (11.0, "hang up")]


def test_each_key_restarts_the_clock():
    call = run_script(
        '<Gather timeout="4" action="/menu"/>', keys={3.0: "1", 6.5: "2", 10.0: "3"}, pages=NEXT
    )
    assert call.log[2] == (14.0, f"POST {ACTION}")
    assert call.requests[1].parameters[0] == ("Digits", "123")


def test_finish_key_ends_and_is_not_part_of_the_digits():
    call = run_script('<Gather action="/menu"/>', keys={1.0: "4", 2.0: "#"}, pages=NEXT)
    assert call.log[2] == (2.0, f"POST {ACTION}")
    assert call.requests[1].parameters[:2] == (("Digits", "4"), ("FinishedOnKey", "#"))


def test_finish_key_first_counts_as_no_input():
    call = run_script('<Gather action="/menu"/><Say>Next</Say>', keys={1.0: "#"}, pages=NEXT)
    assert len(call.requests) == 1
    assert call.log[2] == (1.0, "say Next")


def test_empty_finish_key_makes_every_key_data():
    call = run_script(
        '<Gather finishOnKey="" numDigits="3" action="/menu"/>', keys={1: "#", 2: "*", 3: "#"}, pages=NEXT
    )
    assert call.requests[1].parameters[0] == ("Digits", "#*#")


def test_other_finish_key_leaves_hash_as_data():
    call = run_script('<Gather finishOnKey="*" action="/menu"/>', keys={1: "#", 2: "*"}, pages=NEXT)
    assert call.requests[1].parameters[:2] == (("Digits", "#"), ("FinishedOnKey", "*"))


@pytest.mark.parametrize("keys", [{}, {1.0: "#"}])
def test_action_on_empty_result_requests_the_action_with_empty_digits(keys):
    call = run_script(
        '<Gather actionOnEmptyResult="true" action="/menu"/><Say>Never</Say>', keys=keys, pages=NEXT
    )
    assert call.requests[1].parameters[0] == ("Digits", "")
    assert "say Never" not in call.heard


def test_keys_before_the_gather_are_discarded():
    call = run_script(
        '<Say>Welcome</Say><Gather numDigits="1" action="/menu"/>', keys={1.0: "9", 5.0: "2"}, pages=NEXT
    )
    assert call.requests[1].parameters[0] == ("Digits", "2")


def test_action_defaults_to_the_current_document_with_its_query():
    url = BASE + "?step=2"
    from townhall.twiml import DocumentRequest

    call = run_script(
        DocumentRequest(url),
        keys={1.0: "1"},
        pages={url: ['<Gather numDigits="1" method="GET"/>', "<Hangup/>"]},
    )
    assert (call.requests[1].url, call.requests[1].method) == (url, "GET")


def test_last_gather_without_input_hangs_up():
    assert run_script('<Gather timeout="2"/>').log[-1] == (2.0, "hang up")


def test_several_prompts_stop_together_at_the_key():
    call = run_script(
        '<Gather numDigits="1" action="/menu"><Say>A</Say><Pause length="2"/><Play>/b.wav</Play></Gather>',
        keys={4.0: "1"},
        pages=NEXT,
    )
    assert "play https://app.example/b.wav" not in call.heard


def test_speech_only_waits_out_its_timeout_with_a_warning():
    call = run_script(
        '<Gather input="speech" timeout="3"><Say>Talk</Say></Gather><Say>Next</Say>', keys={1.0: "1"}
    )
    assert call.codes == [13326]
    assert (6.0, "say Next") in call.log


def test_dtmf_and_speech_takes_keys():
    call = run_script(
        '<Gather input="dtmf speech" numDigits="1" action="/menu"/>', keys={1.0: "7"}, pages=NEXT
    )
    assert call.requests[1].parameters[0] == ("Digits", "7")
    assert call.codes == [13326]


def test_missing_prompt_file_is_a_warning_and_the_gather_goes_on():
    call = run_script(
        '<Gather numDigits="1" action="/menu"><Play>/missing.wav</Play></Gather>', keys={2.0: "1"}, pages=NEXT
    )
    assert call.codes == [11217]
    assert call.requests[1].parameters[0] == ("Digits", "1")


def test_wrong_nested_verbs_are_13320_and_skipped():
    call = run_script('<Gather timeout="1"><Dial>1</Dial><Say>A</Say><Play digits="1"/></Gather>')
    assert call.codes == [13320, 13322]
    assert "say A" in call.heard


def test_hang_up_during_the_prompt_ends_the_run_without_action():
    call = run_script(MENU, hangs_up_at=1.0, pages=NEXT)
    assert len(call.requests) == 1


def test_endless_keys_end_after_a_bounded_number():
    keys = {0.01 * n: "5" for n in range(1, 1500)}
    call = run_script('<Gather action="/menu"/>', keys=keys, pages=NEXT)
    assert call.requests[1].parameters[0] == ("Digits", "5" * 1000)
