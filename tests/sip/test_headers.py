"""The ordered header list."""

import pytest

from townhall.sip import Headers, SIPParseError


def test_headers_compare_names_without_case_and_compact_forms_as_long() -> None:
    headers = Headers([("v", "1"), ("VIA", "2"), ("X-a", "3")])
    assert headers.get("Via") == headers.get("V") == "1"
    assert headers.get_all("via") == ["1", "2"]
    assert headers.items() == [("Via", "1"), ("Via", "2"), ("X-a", "3")]
    assert "x-A" in headers
    assert "x-b" not in headers


def test_headers_set_replaces_all_in_the_place_of_the_first() -> None:
    headers = Headers([("To", "t"), ("m", "1"), ("From", "f"), ("Contact", "2")])
    headers.set("contact", "3")
    assert headers.items() == [("To", "t"), ("Contact", "3"), ("From", "f")]
    headers.set("Subject", "s")
    assert headers.items()[-1] == ("Subject", "s")


def test_headers_prepend_add_and_remove_keep_order() -> None:
    headers = Headers([("X-B", "2")])
    headers.prepend("X-A", "1")
    headers.add("X-C", "3")
    assert [name for name, _ in headers] == ["X-A", "X-B", "X-C"]
    headers.remove("x-b")
    headers.remove("nothing")
    assert headers.items() == [("X-A", "1"), ("X-C", "3")]


def test_headers_copy_is_independent() -> None:
    headers = Headers([("A", "1")])
    other = headers.copy()
    other.add("B", "2")
    assert (len(headers), len(other)) == (1, 2)
    assert headers != other


def test_headers_list_splits_at_commas_outside_quotes_and_brackets() -> None:
    headers = Headers(
        [("Contact", '"a, \\", b" <sip:a,b@h>;x="1,2" , ,<sip:c>'), ("Contact", ""), ("m", "sip:d")]
    )
    assert headers.get_list("Contact") == ['"a, \\", b" <sip:a,b@h>;x="1,2"', "<sip:c>", "sip:d"]


def test_headers_view_is_made_once_until_they_change() -> None:
    made: list[str | None] = []

    def read(headers: Headers) -> str | None:
        made.append(headers.get("A"))
        return headers.get("A")

    headers = Headers([("A", "1")])
    assert headers.view("a", read) == headers.view("a", read) == "1"
    assert made == ["1"]
    for change in (
        lambda: headers.add("B", "2"),
        lambda: headers.remove("B"),
        lambda: headers.prepend("C", "3"),
    ):
        change()
        headers.view("a", read)
    assert len(made) == 4


def test_headers_list_is_bounded() -> None:
    whole = Headers([("Via", "a," * 255 + "b")])
    assert len(whole.get_list("Via")) == 256
    for headers in (Headers([("Via", "," * 256)]), Headers([("Via", "a," * 200)] * 2)):
        with pytest.raises(SIPParseError) as caught:
            headers.get_list("Via")
        assert caught.value.status_hint == 513
