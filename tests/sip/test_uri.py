"""URIs: RFC 3261 section 19.1.3's examples, and what phones send beyond the grammar."""

import pytest

from townhall.sip import SIPURI, SIPParseError


@pytest.mark.parametrize(
    "text",
    [
        "sip:alice@atlanta.com",
        "sip:alice:secretword@atlanta.com;transport=tcp",
        "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:+1-212-555-1212:1234@gateway.com;user=phone",
        "sips:1212@gateway.com",
        "sip:alice@192.0.2.4",
        "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
        "sip:alice;day=tuesday@atlanta.com",
        "sip:[2001:db8::10]:5070",
        "sip:user@[2001:db8::10];lr",
        "sip:alice@docker_host:5060",
        "sip:100@sip.host1",
        "sip:*97@pbx",
        "sip:%23100@pbx",
        "tel:+1-201-555-0123",
        "tel:7042;phone-context=example.com",
        "urn:service:sos",
        "http://www.example.com/a?b=c",
        "mailto:a@b",
    ],
)
def test_uri_written_again_is_the_same(text: str) -> None:
    assert str(SIPURI.parse(text)) == text


def test_uri_parts_are_named() -> None:
    uri = SIPURI.parse("SIPS:Al%69ce:p%3Aw@Atlanta.COM:5071;Transport=TCP;lr?Replaces=a%40b%3Bto-tag%3Dc&x=")
    assert (uri.scheme, uri.user, uri.password, uri.host, uri.port) == (
        "sips",
        "Alice",
        "p:w",
        "Atlanta.COM",
        5071,
    )
    assert uri.transport == "tcp"
    assert uri.is_loose_router
    assert uri.headers == (("Replaces", "a@b;to-tag=c"), ("x", ""))


def test_uri_without_user_has_none() -> None:
    uri = SIPURI.parse("sip:example.com")
    assert (uri.user, uri.host, uri.port) == (None, "example.com", None)


@pytest.mark.parametrize("text", ["sip:a@[2001:db8::1]", "sip:a@2001:db8::1"])
def test_uri_with_ipv6_has_a_host_without_brackets_and_is_written_with_them(text: str) -> None:
    uri = SIPURI.parse(text)
    assert uri.host == "2001:db8::1"
    assert str(uri) == "sip:a@[2001:db8::1]"
    assert SIPURI.parse("sip:[::1]:5062").host_port == "[::1]:5062"


def test_uri_with_unescaped_at_in_user_takes_the_last() -> None:
    uri = SIPURI.parse("sip:alice@corp.example@sip.example.com;x=y@z")
    assert (uri.user, uri.host) == ("alice@corp.example", "sip.example.com")
    assert str(uri) == "sip:alice%40corp.example@sip.example.com;x=y@z"


def test_uri_with_tel_number_has_it_as_user() -> None:
    uri = SIPURI.parse("TEL:+15551234;phone-context=+1")
    assert (uri.scheme, uri.user, uri.host, uri.parameters["phone-context"]) == ("tel", "+15551234", "", "+1")


def test_uri_of_unknown_scheme_is_kept_whole() -> None:
    uri = SIPURI.parse("soap.beep://192.0.2.103:3002")
    assert (uri.scheme, uri.opaque, uri.user, uri.host) == ("soap.beep", "//192.0.2.103:3002", None, "")


def test_uri_user_with_bytes_that_are_no_utf_8_is_written_again_the_same() -> None:
    assert str(SIPURI.parse("sip:%FF%00@h")) == "sip:%FF%00@h"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "sip",
            "sip:",
            ":a",
            "sip:@",
            "sip:a@",
            "sip:a@b:x",
            "sip:a@b:65536",
            "sip:a@b:",
            "1000",
            "<sip:a@b>",
        ),
        *(
            "sip:a b@c",
            "sip:a@[::1",
            "sip:a@[x]",
            "sip:a@[::1]5",
            "sip:a@b\r\nX",
            "sip:a@b,c",
            "sip:;lr",
            "sip:a@b c",
        ),
    ],
)
def test_uri_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(SIPParseError):
        SIPURI.parse(text)


# RFC 3261 section 19.1.4.
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
    ],
)
def test_uris_the_rfc_calls_equal_are_equivalent(one: str, other: str) -> None:
    assert SIPURI.parse(one).is_equivalent(SIPURI.parse(other))
    assert SIPURI.parse(other).is_equivalent(SIPURI.parse(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
    ],
)
def test_uris_the_rfc_calls_different_are_not_equivalent(one: str, other: str) -> None:
    assert not SIPURI.parse(one).is_equivalent(SIPURI.parse(other))
    assert not SIPURI.parse(other).is_equivalent(SIPURI.parse(one))


def test_uri_address_of_record_is_a_key() -> None:
    one = SIPURI.parse("sip:bob@Biloxi.com:5060;transport=tcp?a=b").address_of_record
    assert one == SIPURI("sip", "bob", "biloxi.com")
    assert hash(one) == hash(SIPURI.parse("sip:bob@biloxi.com"))
