"""Addresses with and without names, brackets and parameters."""

import pytest

from townhall.sip import SIPURI, Address, SIPParseError


@pytest.mark.parametrize(
    ("text", "name", "uri", "parameters"),
    [
        ("sip:a@b;tag=1", None, "sip:a@b", {"tag": "1"}),
        ("<sip:a@b;x=y>;tag=1", None, "sip:a@b;x=y", {"tag": "1"}),
        (
            '"A. \\"B\\" \\\\C, D" <sip:a@b> ; tag = 1 ;q=0.5',
            'A. "B" \\C, D',
            "sip:a@b",
            {"tag": "1", "q": "0.5"},
        ),
        ("Alice Smith <sip:a@b>", "Alice Smith", "sip:a@b", {}),
        ("caller<sip:a@b>", "caller", "sip:a@b", {}),
        ('""<sip:a@b>', "", "sip:a@b", {}),
        ("Bell, A. <sip:a@b>", "Bell, A.", "sip:a@b", {}),
        ("< sip:a@b >", None, "sip:a@b", {}),
        ("<tel:+1555>;tag=x", None, "tel:+1555", {"tag": "x"}),
        ("<sip:a@b>;;;tag=1;", None, "sip:a@b", {"tag": "1"}),
        ("<sip:a@b?Replaces=c%3Bd>", None, "sip:a@b?Replaces=c%3Bd", {}),
        (
            '<sip:a@b>;+sip.instance="<urn:uuid:1;2>";reg-id=1',
            None,
            "sip:a@b",
            {"+sip.instance": '"<urn:uuid:1;2>"', "reg-id": "1"},
        ),
    ],
)
def test_address_is_taken_apart(
    text: str, name: str | None, uri: str, parameters: dict[str, str | None]
) -> None:
    address = Address.parse(text)
    assert (address.display_name, str(address.uri), dict(address.parameters)) == (name, uri, parameters)
    assert Address.parse(str(address)) == address


def test_address_parameter_text_resolves_quotes() -> None:
    parameters = Address.parse('<sip:a>;x="a\\"b;c";flag').parameters
    assert parameters.text("X") == 'a"b;c'
    assert parameters.text("flag") is None
    assert "flag" in parameters


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "Alice",
        '"open <sip:a@b>',
        '"a" sip:a@b',
        "<sip:a@b",
        "<>",
        '<sip:a@b>;x="open',
        "<sip:a@b> x",
        'a"b <sip:c>',
    ],
)
def test_address_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(SIPParseError):
        Address.parse(text)


def test_address_with_tag_replaces_it() -> None:
    address = Address("Ä", SIPURI(user="a", host="b")).with_tag("1").with_tag("2")
    assert str(address) == '"Ä" <sip:a@b>;tag=2'


@pytest.mark.parametrize(
    ("text", "expires"), [("<sip:a>;expires=60", 60), ("<sip:a>;expires=x", None), ("<sip:a>", None)]
)
def test_address_expires_is_seconds_or_none(text: str, expires: int | None) -> None:
    assert Address.parse(text).expires == expires
