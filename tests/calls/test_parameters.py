"""What a call's webhooks say of it."""

import pytest

from townhall.calls.parameters import browser_parameters, party, sip_parameters, voice_parameters
from townhall.sip import SIPURI, Request, parse_message

INVITE = (
    b"INVITE sip:1000@calls.example.com;transport=tcp SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n"
    b"From: <sip:alice@example.com>;tag=1\r\nTo: <sip:1000@calls.example.com>\r\n"
    b"Call-ID: abc@192.0.2.1\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
    b"X-Account: 42\r\nx-account: 43\r\nUser-to-User: 0a\r\nSubject: not passed on\r\n\r\n"
)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("sip:+15550100@trunk.example.com", "+15550100"),
        ("sip:alice@example.com:5080;transport=tcp", "sip:alice@example.com"),
        ("sip:1000@192.0.2.1", "sip:1000@192.0.2.1"),
        ("tel:+15550100", "+15550100"),
        ("sip:192.0.2.1", "sip:192.0.2.1"),
        ("sip:alice@[2001:db8::1]", "sip:alice@[2001:db8::1]"),
    ],
)
def test_party_is_a_number_or_a_sip_address(uri: str, shown: str) -> None:
    assert party(SIPURI.parse(uri)) == shown


def test_voice_parameters_repeat_the_parties_under_their_old_names() -> None:
    parameters = dict(
        voice_parameters(
            call_sid="CA1", account_sid="AC1", from_="+1", to="+2", status="ringing", direction="inbound"
        )
    )
    assert parameters["Caller"] == parameters["From"] == "+1"
    assert parameters["Called"] == parameters["To"] == "+2"
    assert parameters["CallStatus"] == "ringing"


def test_sip_parameters_pass_custom_headers_once_and_no_others() -> None:
    request = parse_message(INVITE)
    assert isinstance(request, Request)
    assert sip_parameters(request, "192.0.2.1") == [
        ("SipDomain", "calls.example.com"),
        ("SipCallId", "abc@192.0.2.1"),
        ("SipSourceIp", "192.0.2.1"),
        ("SipHeader_X-Account", "42"),
        ("SipHeader_User-to-User", "0a"),
    ]


OWN = [("ApplicationSid", "AP1"), ("ClientSourceIp", "192.0.2.7")]


def test_page_cannot_say_who_calls() -> None:
    forged = [
        ("From", "+15550199"),
        ("CallSid", "CA1"),
        ("AccountSid", "AC1"),
        ("Caller", "x"),
        ("To", "1000"),
    ]
    own = [
        ("ApplicationSid", "AP2"),
        ("ClientSourceIp", "::1"),
        ("CallStatus", "completed"),
        ("Direction", "outbound-api"),
    ]
    assert browser_parameters("AP1", "192.0.2.7", [*forged, *own]) == OWN


def test_page_s_own_parameters_are_passed_on_once() -> None:
    given = [("Name", "Ada"), ("Name", "Eve"), ("", "nameless"), ("room 1", "a&b=c")]
    assert browser_parameters("AP1", "192.0.2.7", given) == [
        *OWN,
        ("Name", "Ada"),
        ("room 1", "a&b=c"),
    ]
