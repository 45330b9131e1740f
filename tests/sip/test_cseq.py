"""CSeq and RAck."""

import pytest

from townhall.sip import CSeq, RAck, SIPParseError


@pytest.mark.parametrize(
    ("text", "cseq"),
    [
        ("1 INVITE", CSeq(1, "INVITE")),
        (" 0009   BYE ", CSeq(9, "BYE")),
        ("2147483647 x", CSeq(2147483647, "x")),
    ],
)
def test_cseq_is_number_and_method(text: str, cseq: CSeq) -> None:
    assert CSeq.parse(text) == cseq
    assert CSeq.parse(str(cseq)) == cseq


@pytest.mark.parametrize(
    "text", ["", "1", "INVITE 1", "1 INVITE x", "-1 INVITE", "2147483648 INVITE", "1 IN@VITE", "² BYE"]
)
def test_cseq_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(SIPParseError):
        CSeq.parse(text)


def test_rack_is_number_and_cseq() -> None:
    assert RAck.parse(" 776656  1 INVITE") == RAck(776656, CSeq(1, "INVITE"))
    assert str(RAck(776656, CSeq(1, "INVITE"))) == "776656 1 INVITE"


@pytest.mark.parametrize("text", ["", "1", "1 INVITE", "4294967296 1 INVITE", "x 1 INVITE"])
def test_rack_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(SIPParseError):
        RAck.parse(text)
