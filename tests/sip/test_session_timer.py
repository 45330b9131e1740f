"""Session-Expires."""

import pytest

from townhall.sip import SessionExpires, SIPParseError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1800", SessionExpires(1800)),
        ("90;refresher=uas", SessionExpires(90, "uas")),
        (" 90 ; x=y ; Refresher=UAC", SessionExpires(90, "uac")),
        ("90;refresher=both", SessionExpires(90)),
    ],
)
def test_session_expires_is_seconds_and_refresher(text: str, value: SessionExpires) -> None:
    assert SessionExpires.parse(text) == value
    assert SessionExpires.parse(str(value)) == value


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", ";refresher=uac"])
def test_session_expires_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(SIPParseError):
        SessionExpires.parse(text)
