"""The attribute tables of `<Number>`, `<Client>` and `<Sip>`: every attribute's default, allowed values, and
error number.

Each row: element, attribute, default, {allowed text: value}, [bad texts], error number.
"""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from twilio.twiml.voice_response import Dial, VoiceResponse

from townhall.twiml import parse_document
from townhall.twiml.attributes import AttributeReader
from townhall.twiml.notices import NoticeBook
from townhall.twiml.nouns import client, number, sip

TABLES = {"Number": number.ATTRIBUTES, "Client": client.ATTRIBUTES, "Sip": sip.ATTRIBUTES}
BODIES = {"Number": "+15551234567", "Client": "alice", "Sip": "sip:bob@example.com"}
METHODS = {"GET": "GET", "POST": "POST"}
NOT_METHODS = ["", "get", "PUT"]
URLS = {url: url for url in ("/a", "https://x.example/a?b=c")}
NOT_URLS = ["ftp://x.example/", "http://", "javascript:alert(1)"]
EVENTS = {
    "initiated ringing answered completed": frozenset({"initiated", "ringing", "answered", "completed"}),
    "ringing": frozenset({"ringing"}),
}
NOT_EVENTS = ["started", "ringing,answered"]
DIGITS = {text: text for text in ("", "ww1928", "1234#*ABCD", "W5")}
NOT_DIGITS = ["12 34", "E", "1-2", "1" * 33]


def progress(element: str) -> list[tuple[str, str, Any, dict[str, Any], list[str], int]]:
    return [
        (element, "statusCallback", None, URLS, NOT_URLS, 13299),
        (element, "statusCallbackMethod", "POST", METHODS, NOT_METHODS, 13299),
        (element, "statusCallbackEvent", frozenset({"completed"}), EVENTS, NOT_EVENTS, 13299),
    ]


def detection(element: str) -> list[tuple[str, str, Any, dict[str, Any], list[str], int]]:
    words = {"Enable": "Enable", "DetectMessageEnd": "DetectMessageEnd"}
    numbers = (
        ("Timeout", 30, 3, 60),
        ("SpeechThreshold", 2400, 1000, 6000),
        ("SpeechEndThreshold", 1200, 500, 5000),
        ("SilenceTimeout", 5000, 2000, 10000),
    )
    return [
        (element, "machineDetection", None, words, ["", "enable", "true"], 13299),
        *(
            (
                element,
                f"machineDetection{name}",
                default,
                {str(least): least, str(most): most},
                ["", str(least - 1), str(most + 1), "x"],
                13299,
            )
            for name, default, least, most in numbers
        ),
        (element, "amdStatusCallback", None, URLS, NOT_URLS, 13299),
        (element, "amdStatusCallbackMethod", "POST", METHODS, NOT_METHODS, 13299),
    ]


ROWS: list[tuple[str, str, Any, dict[str, Any], list[str], int]] = [
    ("Number", "url", None, URLS, NOT_URLS, 13299),
    ("Number", "method", "POST", METHODS, NOT_METHODS, 13221),
    ("Number", "sendDigits", "", DIGITS, NOT_DIGITS, 13222),
    *progress("Number"),
    *detection("Number"),
    ("Client", "url", None, URLS, NOT_URLS, 13299),
    ("Client", "method", "POST", METHODS, NOT_METHODS, 13299),
    ("Client", "clientNotificationUrl", None, URLS, NOT_URLS, 13299),
    *progress("Client"),
    ("Sip", "url", None, URLS, NOT_URLS, 13244),
    ("Sip", "method", "POST", METHODS, NOT_METHODS, 13245),
    ("Sip", "username", "", {"admin": "admin", "": ""}, ["x" * 257], 13242),
    ("Sip", "password", "", {"1234": "1234", "": ""}, ["x" * 257], 13243),
    *progress("Sip"),
    *detection("Sip"),
]
ANYTHING_GOES = {("Number", "byoc")}
IDS = [f"{row[0]}-{row[1]}" for row in ROWS]


def read(element: str, given: dict[str, str]) -> tuple[AttributeReader, NoticeBook, dict[str, Any]]:
    notices = NoticeBook()
    attributes = {attribute.name: attribute for attribute in TABLES[element]}
    return AttributeReader(etree.Element(element, given), TABLES[element], notices), notices, attributes


def test_tables_have_exactly_the_attributes_of_the_rows():
    ours = {(element, attribute.name) for element, table in TABLES.items() for attribute in table}
    assert ours == {(row[0], row[1]) for row in ROWS} | ANYTHING_GOES


@pytest.mark.parametrize(("element", "name", "default", "allowed", "bad", "code"), ROWS, ids=IDS)
def test_attribute_has_its_default_values_and_number(element, name, default, allowed, bad, code):
    values, notices, attributes = read(element, {})
    assert values[attributes[name]] == default
    for text, value in allowed.items():
        values, notices, attributes = read(element, {name: text})
        assert values[attributes[name]] == value
        assert notices.listed() == ()
    for text in bad:
        values, notices, attributes = read(element, {name: text})
        assert values[attributes[name]] == default
        (notice,) = notices.listed()
        assert (notice.code, name in notice.message) == (code, True)


@pytest.mark.parametrize(("element", "name", "allowed"), [(row[0], row[1], row[3]) for row in ROWS], ids=IDS)
def test_official_builder_writes_what_we_read(element, name, allowed):
    """The twilio package's TwiML parses without a warning, but for the machine detection that we have not."""
    snake = "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)
    for text in allowed:
        response = VoiceResponse()
        dial = Dial()
        getattr(dial, element.lower())(BODIES[element], **{snake: text})
        response.append(dial)
        codes = [notice.code for notice in parse_document(str(response)).notices]
        assert codes == ([13299] if name == "machineDetection" else [])


def test_every_attribute_is_in_the_reference():
    reference = (Path(__file__).parents[2] / "docs" / "reference" / "dial.md").read_text("utf-8")
    for element, table in TABLES.items():
        section = reference.partition(f"## `<{element}>`")[2].partition("\n## ")[0]
        missing = [attribute.name for attribute in table if f"`{attribute.name}`" not in section]
        assert (element, missing) == (element, [])
