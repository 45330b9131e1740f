"""Vias: spelled oddly, with IPv6, and stamped on receipt."""

import pytest

from townhall.sip import SIPParseError, Via


@pytest.mark.parametrize(
    ("text", "transport", "host", "port"),
    [
        ("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1", "UDP", "192.0.2.1", 5060),
        ("SIP / 2.0 / udp   first.example.com : 4000 ;ttl=16", "UDP", "first.example.com", 4000),
        ("sip/2.0/TCP [2001:db8::9]:5070", "TCP", "2001:db8::9", 5070),
        ("SIP/2.0/TCP 2001:db8::9", "TCP", "2001:db8::9", None),
        ("SIP/2.0/WSS df7jal23ls0d.invalid", "WSS", "df7jal23ls0d.invalid", None),
        ("SIP/2.0/UDP my_host", "UDP", "my_host", None),
    ],
)
def test_via_is_taken_apart(text: str, transport: str, host: str, port: int | None) -> None:
    via = Via.parse(text)
    assert (via.transport, via.host, via.port) == (transport, host, port)
    assert Via.parse(str(via)) == via


@pytest.mark.parametrize("received", ["2001:db8::1", "[2001:db8::1]"])
def test_via_received_ipv6_has_no_brackets(received: str) -> None:
    assert Via.parse(f"SIP/2.0/UDP h;received={received}").received == "2001:db8::1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/2.0 h",
        "SIP/2.0/UDP h:99999",
        "SIP/2.0/UDP [::1",
        "SIP/2.0/UDP h x",
        ";",
    ],
)
def test_via_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(SIPParseError):
        Via.parse(text)


@pytest.mark.parametrize("text", ["SIP/3.0/UDP h", "HTTP/2.0/UDP h"])
def test_via_of_another_version_is_505(text: str) -> None:
    with pytest.raises(SIPParseError) as caught:
        Via.parse(text)
    assert caught.value.status_hint == 505


@pytest.mark.parametrize(
    ("sent", "stamped"),
    [
        ("SIP/2.0/UDP 192.0.2.1:5060", "SIP/2.0/UDP 192.0.2.1:5060"),
        ("SIP/2.0/UDP host:5060;branch=b", "SIP/2.0/UDP host:5060;branch=b;received=192.0.2.1"),
        (
            "SIP/2.0/UDP 192.0.2.1;rport;branch=b",
            "SIP/2.0/UDP 192.0.2.1;rport=4444;branch=b;received=192.0.2.1",
        ),
        ("SIP/2.0/UDP 192.0.2.1;received=6.6.6.6", "SIP/2.0/UDP 192.0.2.1"),
    ],
)
def test_via_is_stamped_with_its_source(sent: str, stamped: str) -> None:
    assert str(Via.parse(sent).with_source("192.0.2.1", 4444)) == stamped


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("SIP/2.0/UDP h", ("h", 5060)),
        ("SIP/2.0/TLS h", ("h", 5061)),
        ("SIP/2.0/UDP h:4000;received=192.0.2.1", ("192.0.2.1", 4000)),
        ("SIP/2.0/UDP h:4000;received=192.0.2.1;rport=5", ("192.0.2.1", 5)),
        ("SIP/2.0/UDP h;maddr=239.0.0.1;received=192.0.2.1", ("239.0.0.1", 5060)),
        ("SIP/2.0/UDP h;rport=x", ("h", 5060)),
    ],
)
def test_via_names_where_the_response_goes(text: str, address: tuple[str, int]) -> None:
    assert Via.parse(text).response_address == address


@pytest.mark.parametrize(
    ("branch", "unique"),
    [("z9hG4bKabc", True), ("Z9HG4BKabc", True), ("z9hG4bK", False), ("1", False), (None, False)],
)
def test_via_branch_with_the_cookie_is_rfc3261(branch: str | None, unique: bool) -> None:
    assert Via.parse("SIP/2.0/UDP h" + (f";branch={branch}" if branch else "")).is_rfc3261 is unique
