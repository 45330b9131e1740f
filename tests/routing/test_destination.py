"""What a `To` means."""

import pytest

from townhall.routing import (
    CallRefused,
    ClientDestination,
    NumberDestination,
    PhoneDestination,
    SipDestination,
    read_destination,
)  # fmt: skip


@pytest.mark.parametrize(("text", "meant"), [
    ("+15551234567", NumberDestination("+15551234567")),
    (" +1 (555) 123-45.67 ", NumberDestination("+15551234567")),
    ("1001", NumberDestination("1001")),
    ("*98", NumberDestination("*98")),
    ("alice", PhoneDestination("alice")),
    ("client:alice", ClientDestination("alice")),
    ("client:alice?x=1&y=a%20b", ClientDestination("alice", (("x", "1"), ("y", "a b")))),
    ("sip:bob@example.com", SipDestination("sip:bob@example.com")),
    ("sip:bob@[::1]:5070;transport=tcp", SipDestination("sip:bob@[::1]:5070;transport=tcp")),
    ("sip:bob@example.com?x-a=b&Subject=no&User-to-User=u",
     SipDestination("sip:bob@example.com", (("x-a", "b"), ("User-to-User", "u")))),
])  # fmt: skip
def test_to_names_a_destination(text, meant):
    assert read_destination(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "", "+", "+1555123456789012345", "call me", "client:", "client:" + "x" * 257, "sip:",
        "sip:example.com", "sips:bob@example.com", "sip:b@" + "x" * 300,
        "sip:bob@example.com?x-a=" + "b" * 1100, "tel:+15551234567", "sip:bob@exa mple.com",
        "<sip:bob@example.com>",
    ],
)  # fmt: skip
def test_what_names_nobody_is_21211(text):
    with pytest.raises(CallRefused) as refused:
        read_destination(text)
    assert refused.value.code == 21211


def test_header_that_would_split_the_message_is_not_passed_on():
    destination = read_destination("sip:bob@example.com?x-a=1%0d%0aEvil:2&x-b=2")
    assert destination == SipDestination("sip:bob@example.com", (("x-b", "2"),))
