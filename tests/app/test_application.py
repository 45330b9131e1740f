"""The dialogue of a call, request by request, as the engine or Twilio would run it."""

import logging
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.app.conftest import BASE, GUARDED, OPEN, TOKEN, Book, Caller, Clock, Register
from twilio.request_validator import RequestValidator

from townhall.app import create_app
from townhall.app.signed import _pairs

Shape = tuple[str, dict[str, str], str, list["Shape"]]


def shape(element: ElementTree.Element) -> Shape:
    return (
        element.tag,
        dict(element.attrib),
        (element.text or "").strip(),
        [shape(child) for child in element],
    )


def said(element: ElementTree.Element) -> list[str]:
    return [say.text or "" for say in element.iter("Say")]


def verbs(element: ElementTree.Element) -> list[str]:
    return [verb.tag for verb in element]


MENU = "To listen, press 1. To speak, press 2. To moderate, press 3."


async def test_menu_asks_three_times_then_says_goodbye(caller: Caller) -> None:
    document = await caller.ask("/app/menu")
    gather = {"numDigits": "1", "finishOnKey": "", "timeout": "6", "action": "/app/menu"}
    english = {"language": "en-US"}
    assert [shape(verb) for verb in document] == [
        (
            "Gather",
            gather,
            "",
            [("Say", english, "Hello, town.", []), ("Say", english, MENU, [])],
        ),
        ("Gather", gather, "", [("Say", english, MENU, [])]),
        ("Gather", gather, "", [("Say", english, MENU, [])]),
        ("Say", english, "We did not hear from you. Goodbye.", []),
        ("Hangup", {}, "", []),
    ]


ROLES = [
    ("1", "listener", {"muted": "true", "startConferenceOnEnter": "false"}),
    ("2", "speaker", {"startConferenceOnEnter": "false"}),
    ("3", "moderator", {"startConferenceOnEnter": "true", "endConferenceOnExit": "true"}),
]


@pytest.mark.parametrize(("key", "role", "attributes"), ROLES)
async def test_key_redirects_to_the_role_and_dials_with_its_attributes(
    caller: Caller, key: str, role: str, attributes: dict[str, str]
) -> None:
    document = await caller.ask("/app/menu", Digits=key)
    assert [shape(verb) for verb in document] == [("Redirect", {}, f"/app/role/{role}", [])]
    document = await caller.ask(f"/app/role/{role}")
    dial = ("Dial", {"action": "/app/left"}, "", [("Conference", attributes, "Open house", [])])
    assert shape(document[-1]) == dial
    assert said(document) == (["You are the moderator."] if role == "moderator" else [])


@pytest.mark.parametrize(("key", "role", "attributes"), ROLES)
async def test_line_adds_what_it_sets(
    caller: Caller, key: str, role: str, attributes: dict[str, str]
) -> None:
    caller.to = "+4930123456"
    conference = (await caller.ask(f"/app/role/{role}"))[-1][0]
    assert conference.text == "Runde"
    assert conference.attrib == attributes | {
        "waitUrl": "https://music.example.com/a.mp3",
        "waitMethod": "GET",
        "beep": "onEnter",
        "maxParticipants": "40",
    }


async def test_line_with_empty_music_waits_in_silence(caller: Caller) -> None:
    caller.to = "sip:3000@calls.example.com:5060;transport=tcp"
    conference = (await caller.ask("/app/role/speaker"))[-1][0]
    assert conference.attrib == {"startConferenceOnEnter": "false", "waitUrl": ""}


@pytest.mark.parametrize("key", ["0", "4", "9", "*", "#", "12", "x"])
async def test_wrong_key_says_so_and_repeats(caller: Caller, key: str) -> None:
    document = await caller.ask("/app/menu", Digits=key)
    assert said(document)[:2] == ["Sorry, that key is not in the menu.", MENU]
    assert verbs(document) == ["Gather", "Gather", "Gather", "Say", "Hangup"]
    assert {gather.get("action") for gather in document.iter("Gather")} == {"/app/menu?wrong=1"}


async def test_wrong_keys_without_end_end_the_call(caller: Caller) -> None:
    document = await caller.ask("/app/menu", Digits="7")
    asked = 1
    while (gather := document.find("Gather")) is not None:
        document = await caller.ask(gather.attrib["action"], Digits="7")
        asked += 1
    assert asked == 10
    assert verbs(document) == ["Say", "Hangup"]


async def test_right_key_after_wrong_ones_is_taken(caller: Caller) -> None:
    document = await caller.ask("/app/menu?wrong=8", Digits="2")
    assert [shape(verb) for verb in document] == [("Redirect", {}, "/app/role/speaker", [])]


@pytest.mark.parametrize("state", ["wrong=-1", "wrong=x", "wrong=", "wrong=999", "wrong=%00", "wrong=²"])
async def test_state_made_up_is_harmless(caller: Caller, state: str) -> None:
    document = await caller.ask(f"/app/menu?{state}".replace("²", "%C2%B2"), Digits="7")
    assert document[0].get("action") == "/app/menu?wrong=1"


async def test_get_works_as_post_does(caller: Caller) -> None:
    document = await caller.ask("/app/menu", "GET", Digits="1")
    assert document[0].text == "/app/role/listener"


async def test_line_in_a_language_of_the_catalogue_speaks_it(caller: Caller) -> None:
    caller.to = "+4930123456"
    says = [say for say in (await caller.ask("/app/menu")).iter("Say")]
    assert {(say.get("voice"), say.get("language")) for say in says} == {("woman", "de-DE")}
    assert says[0].text == "Willkommen zur Konferenz."


async def test_line_in_another_language_keeps_its_welcome_and_speaks_english(caller: Caller) -> None:
    caller.to = "sip:3000@calls.example.com"
    says = [(say.get("language"), say.text) for say in (await caller.ask("/app/menu")).iter("Say")]
    assert says[:2] == [("it-IT", "Benvenuti."), ("en-US", MENU)]


@pytest.mark.parametrize(
    "to", ["sip:9999@calls.example.com", "+15550000", "client:anna", "", "sip:", "sip:calls.example.com", ":"]
)
async def test_unknown_line_says_so_and_hangs_up(caller: Caller, to: str) -> None:
    caller.to = to
    document = await caller.ask("/app/menu")
    assert said(document) == ["Sorry, there is no conference at this number. Goodbye."]
    assert verbs(document) == ["Say", "Hangup"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("answered", "Thank you"),
        ("completed", "Thank you"),
        ("failed", "may be full"),
        ("busy", "may be full"),
    ],
)
async def test_leaving_thanks_or_says_why_not_joined(caller: Caller, status: str, words: str) -> None:
    document = await caller.ask("/app/left", DialCallStatus=status)
    assert words in said(document)[0]
    assert verbs(document) == ["Say", "Hangup"]


# ---- PINs


async def test_role_with_pin_asks_for_it_and_posts_it(caller: Caller) -> None:
    caller.to = "sip:2000@calls.example.com"
    document = await caller.ask("/app/role/moderator")
    assert verbs(document) == ["Gather", "Gather", "Gather", "Say", "Hangup"]
    assert document[0].attrib == {
        "finishOnKey": "#",
        "timeout": "10",
        "method": "POST",
        "action": "/app/pin/moderator",
    }
    document = await caller.ask("/app/pin/moderator", Digits="246810")
    assert document[-1][0].attrib == {"startConferenceOnEnter": "true", "endConferenceOnExit": "true"}


async def test_listener_of_a_guarded_line_needs_no_pin(caller: Caller) -> None:
    caller.to = "sip:2000@calls.example.com"
    assert verbs(await caller.ask("/app/role/listener")) == ["Dial"]


@pytest.mark.parametrize("digits", ["1111", "24681", "2468100", "", "24681X", "²46810"])
async def test_anything_but_the_pin_does_not_dial(caller: Caller, digits: str) -> None:
    caller.to = "sip:2000@calls.example.com"
    document = await caller.ask("/app/pin/moderator", Digits=digits)
    assert document.find("Dial") is None
    assert document.find("Gather") is not None


async def test_wrong_pin_three_times_ends_the_call_and_soon_the_next(caller: Caller, clock: Clock) -> None:
    caller.to = "sip:2000@calls.example.com"
    document = await caller.ask("/app/role/speaker")
    for _ in range(3):
        document = await caller.ask(document[0].attrib["action"], Digits="1234")
    assert said(document) == ["There were too many wrong PINs. Please try again in 2 minutes. Goodbye."]
    assert verbs(document) == ["Say", "Hangup"]
    again = await caller.ask("/app/role/speaker")
    assert verbs(again) == ["Say", "Hangup"]
    right = await caller.ask("/app/pin/speaker", Digits="1111")
    assert right.find("Dial") is None, "a guess that comes too early must not tell that it was right"
    clock.now += 31
    assert (await caller.ask("/app/pin/speaker", Digits="1111")).find("Dial") is not None


async def test_page_cannot_say_how_often_it_was_wrong(caller: Caller) -> None:
    document = await caller.ask("/app/menu?wrong=8", Digits="7", wrong="0")
    document = await caller.ask(document[0].attrib["action"], Digits="7", wrong="0")
    assert verbs(document) == ["Say", "Hangup"]


async def test_strangers_who_guess_do_not_lock_out_a_known_moderator(caller: Caller, clock: Clock) -> None:
    caller.to = "sip:2000@calls.example.com"
    caller.caller = "+15550001"
    assert (await caller.ask("/app/pin/moderator", Digits="246810")).find("Dial") is not None
    clock.now += 30 * 86400
    tried = 0
    for stranger in range(60):
        caller.caller = f"+1666{stranger:07}"
        document = await caller.ask("/app/pin/moderator", Digits="000000")
        tried += "not right" in said(document)[0]
    assert tried == 19, "the twentieth is told to wait, those after it are not judged"
    assert (await caller.ask("/app/pin/moderator", Digits="246810")).find("Dial") is None
    caller.caller = "+15550001"
    assert (await caller.ask("/app/pin/moderator", Digits="246810")).find("Dial") is not None


@pytest.mark.parametrize("places", [["192.0.2.7"], ["2001:db8::1", "2001:db8::2"]])
async def test_page_that_is_loaded_anew_is_no_stranger(caller: Caller, places: list[str]) -> None:
    caller.to = "sip:2000@calls.example.com"
    judged = 0
    for page in range(9):
        caller.caller = f"client:web_{page:016x}"
        place = places[page % len(places)]
        document = await caller.ask("/app/pin/moderator", Digits="000000", ClientSourceIp=place)
        judged += "not right" in said(document)[0]
    assert judged == 2, "all pages of a place are one caller, who is soon told to wait"


async def test_pins_stand_in_no_url_and_no_log(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caller.to = "sip:2000@calls.example.com"
    for digits in ("98765", "1111", "1111"):
        document = await caller.ask("/app/pin/speaker", Digits=digits)
        everything = " ".join([*caller.seen, ElementTree.tostring(document, "unicode")])
        assert "98765" not in everything
        assert "1111" not in everything
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("townhall")]
    assert any("speaker PIN wrong" in message for message in ours)
    assert not any("98765" in message or "1111" in message for message in ours)


# ---- signatures


async def test_request_without_valid_signature_is_refused(caller: Caller) -> None:
    form = {"To": "sip:1000@calls.example.com", "Digits": "3"}
    for headers in ({}, {"X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}):
        for path in ("menu", "left", "role/moderator", "pin/moderator"):
            response = await caller.client.post(f"{BASE}/app/{path}", data=form, headers=headers)
            assert response.status_code == 403
            assert "X-Twilio-Signature" in response.text


async def test_signature_of_another_request_is_refused(caller: Caller) -> None:
    response = await caller.send("POST", f"{BASE}/app/menu", {"To": "1000"})
    signature = response.request.headers["X-Twilio-Signature"]
    for url, form in [
        (f"{BASE}/app/menu", {"To": "2000"}),
        (f"{BASE}/app/menu?wrong=1", {"To": "1000"}),
        (f"{BASE}/app/left", {"To": "1000"}),
    ]:
        form = {"CallSid": "CA" + "0" * 32} | form
        refused = await caller.client.post(url, data=form, headers={"X-Twilio-Signature": signature})
        assert refused.status_code == 403


async def test_form_too_large_or_not_utf8_is_refused(caller: Caller) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    large = await caller.client.post(f"{BASE}/app/menu", content=b"a=" + b"b" * 70_000, headers=headers)
    assert large.status_code == 413
    many = await caller.client.post(f"{BASE}/app/menu", content=b"&".join([b"a=b"] * 600), headers=headers)
    assert many.status_code == 400
    rubbish = await caller.client.post(f"{BASE}/app/menu", content=b"\xff\xfe=1", headers=headers)
    assert rubbish.status_code == 400


async def test_what_has_no_document_is_refused_as_starlette_does(caller: Caller) -> None:
    answers = [
        await caller.client.request(method, f"{BASE}/app{path}")
        for method, path in (("GET", "/nothing"), ("PUT", "/menu"), ("GET", "/menu"))
    ]
    assert [answer.status_code for answer in answers] == [404, 405, 403]


@given(st.text("ab=&%+41é \0zC", max_size=16))
def test_form_is_read_as_the_library_does(text: str) -> None:
    assert _pairs(text.encode()) == parse_qsl(text, keep_blank_values=True)


async def test_application_at_the_root_behind_a_path_links_with_that_path(caller: Caller) -> None:
    app = create_app(Book(OPEN), TOKEN, f"{BASE}/town/")
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=BASE) as client:
        form = {"To": "1000", "Digits": "1"}
        signature = RequestValidator(TOKEN).compute_signature(f"{BASE}/town/menu", form)
        response = await client.post("/menu", data=form, headers={"X-Twilio-Signature": signature})
    assert "<Redirect>/town/role/listener</Redirect>" in response.text


CONSOLE = f"{BASE}/console/callbacks/secret"
CALL = "CA" + "0" * 32


def watched(register: Register) -> Caller:
    """A caller of an application that has a console."""
    app = create_app(Book(OPEN, GUARDED), TOKEN, BASE, console_url=CONSOLE, attendance=register)
    return Caller(httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=BASE), url=f"{BASE}/menu")


async def test_console_is_told_of_the_conference_by_its_callbacks() -> None:
    caller = watched(Register())
    conference = (await caller.ask("/role/speaker"))[-1][0]
    assert conference.attrib == {
        "startConferenceOnEnter": "false",
        "statusCallback": CONSOLE,
        "statusCallbackEvent": "start end join leave mute hold modify speaker announcement",
        "recordingStatusCallback": CONSOLE,
        "recordingStatusCallbackEvent": "in-progress completed absent",
    }


async def test_console_is_told_who_calls_and_in_which_role() -> None:
    register = Register()
    caller = watched(register)
    await caller.ask("/menu", Name="Anna")
    await caller.ask("/role/listener", CallerName="ANNA S")
    assert register.told == [
        ("called", CALL, "+15550100", "1000", "Anna"),
        ("called", CALL, "+15550100", "1000", "ANNA S"),
        ("took role", CALL, "+15550100", "1000", "listener"),
    ]


async def test_role_with_a_pin_is_taken_only_with_the_right_one() -> None:
    register = Register()
    caller = watched(register)
    caller.to = GUARDED.number
    await caller.ask("/role/moderator")
    await caller.ask("/pin/moderator", Digits="1")
    assert {told[0] for told in register.told} == {"called"}
    await caller.ask("/pin/moderator", Digits="246810")
    assert register.told[-1] == ("took role", CALL, "+15550100", "2000", "moderator")


async def test_caller_for_whom_there_is_no_room_is_told_so_and_hung_up(caller: Caller) -> None:
    document = await caller.ask("/app/menu", ServerFull="true")
    assert verbs(document) == ["Say", "Hangup"]
    assert said(document) == ["Sorry, the conference is full. Please call again later. Goodbye."]
