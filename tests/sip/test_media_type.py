"""Content-Type and the ranges of Accept."""

import pytest

from townhall.sip import MediaType, SIPParseError


def test_media_type_is_lower_case_with_its_parameters() -> None:
    media_type = MediaType.parse('Multipart / Mixed ;Boundary="a;b"')
    assert media_type.essence == "multipart/mixed"
    assert media_type.parameters.text("boundary") == "a;b"
    assert str(media_type) == 'multipart/mixed;boundary="a;b"'


@pytest.mark.parametrize(
    ("accepted", "offered", "fits"),
    [
        ("application/sdp", "application/SDP", True),
        ("application/*", "application/sdp", True),
        ("*/*", "text/plain", True),
        ("text/*", "application/sdp", False),
        ("application/isup", "application/sdp", False),
    ],
)
def test_media_range_covers_what_it_names(accepted: str, offered: str, fits: bool) -> None:
    assert MediaType.parse(accepted).accepts(MediaType.parse(offered)) is fits


@pytest.mark.parametrize("text", ["", "sdp", "/", "a/", "/b", "a b/c", "a/b/c"])
def test_media_type_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(SIPParseError):
        MediaType.parse(text)
