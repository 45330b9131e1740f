"""The attribute tables of Twilio's TwiML pages: every attribute's default, allowed values, and error number.

Each row: element, attribute, default, {allowed text: value}, [bad texts], error number.
"""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from townhall.twiml import parse_document
from townhall.twiml.attributes import AttributeReader
from townhall.twiml.notices import NoticeBook
from townhall.twiml.nouns import conference, queue
from townhall.twiml.verbs import dial, enqueue, gather, pause, play, record, redirect, reject, say

TABLES = {
    "Say": say.ATTRIBUTES,
    "Play": play.ATTRIBUTES,
    "Pause": pause.ATTRIBUTES,
    "Gather": gather.ATTRIBUTES,
    "Record": record.ATTRIBUTES,
    "Redirect": redirect.ATTRIBUTES,
    "Reject": reject.ATTRIBUTES,
    "Dial": dial.ATTRIBUTES,
    "Conference": conference.ATTRIBUTES,
    "Queue": queue.ATTRIBUTES,
    "Enqueue": enqueue.ATTRIBUTES,
}

BOOLEAN = {"true": True, "false": False}
NOT_BOOLEAN = ["", "True", "FALSE", "1", "yes", " true"]
METHODS = {"GET": "GET", "POST": "POST"}
NOT_METHODS = ["", "get", "PUT", "POST "]
LOOPS = {"0": 0, "1": 1, "7": 7, "1000": 1000, "5000": 5000}
NOT_LOOPS = ["", "-1", "1.5", "two", "٣", "1e3", "9999999999"]
POSITIVE = {"1": 1, "5": 5, "3600": 3600}
NOT_POSITIVE = ["", "0", "-1", "2.5", "five", " 5", "+5"]
LANGUAGES = {tag: tag for tag in ("en-US", "de-DE", "es", "cmn-Hans-CN", "es-419")}
NOT_LANGUAGES = ["", "e", "en_US", "en US", "<en>", "x" * 50]
URLS = {
    url: url for url in ("/a", "a?b=c", "https://x.example/a#rc=1", "http://user:pass@x.example:81/ä", "")
}
NOT_URLS = [
    "ftp://x.example/",
    "http://",
    "javascript:alert(1)",
    "http://x.example:port/",
    "a\x7fb",
    "file:///etc/passwd",
]
RECORDING_EVENTS = {"in-progress completed absent": frozenset({"in-progress", "completed", "absent"}),
                    "absent": frozenset({"absent"})}  # fmt: skip
RING_TONES = [
    "at",
    "au",
    "bg",
    "br",
    "be",
    "ch",
    "cl",
    "cn",
    "cz",
    "de",
    "dk",
    "ee",
    "es",
    "fi",
    "fr",
    "gr",
    "hu",
    "il",
    "in",
    "it",
    "lt",
    "jp",
    "mx",
    "my",
    "nl",
    "no",
    "nz",
    "ph",
    "pl",
    "pt",
    "ru",
    "se",
    "sg",
    "th",
    "uk",
    "us",
    "us-old",
    "tw",
    "ve",
    "za",
]


def same(*texts: str) -> dict[str, str]:
    return {text: text for text in texts}


ROWS: list[tuple[str, str, Any, dict[str, Any], list[str], int]] = [
    ("Say", "voice", "man", same("man", "woman", "alice", "Polly.Joanna", "Polly.Joanna-Neural",
     "Google.en-US-Standard-B"),
     ["", "two words", "<x>", "x" * 101, "-"], 13511),
    ("Say", "language", "en-US", LANGUAGES, NOT_LANGUAGES, 13512),
    ("Say", "loop", 1, LOOPS, NOT_LOOPS, 13510),
    ("Play", "loop", 1, LOOPS, NOT_LOOPS, 13410),
    ("Play", "digits", None, same("0123456789", "ABCD*#", "wW1"), ["", "12x", "a", "1 2", "E"], 13430),
    ("Pause", "length", 1, POSITIVE, NOT_POSITIVE, 13910),
    ("Gather", "input", "dtmf", same("dtmf", "speech", "dtmf speech", "speech dtmf"), ["", "DTMF", "keys",
     "dtmf,speech"], 13326),
    ("Gather", "method", "POST", METHODS, NOT_METHODS, 13312),
    ("Gather", "timeout", 5, POSITIVE, NOT_POSITIVE, 13313),
    ("Gather", "numDigits", None, POSITIVE, NOT_POSITIVE, 13314),
    ("Gather", "finishOnKey", "#", same(*"0123456789*#", ""), ["##", "A", " ", "12"], 13310),
    ("Gather", "actionOnEmptyResult", False, BOOLEAN, NOT_BOOLEAN, 13338),
    ("Gather", "speechTimeout", None, same("auto", "3"), ["", "0", "-1", "Auto"], 13327),
    ("Gather", "hints", (), {"a, b c": ("a", "b c"), "": ()}, ["x" * 101, ",".join("a" * 501)], 13330),
    ("Gather", "language", "en-US", LANGUAGES, NOT_LANGUAGES, 13331),
    ("Gather", "profanityFilter", True, BOOLEAN, NOT_BOOLEAN, 13329),
    ("Gather", "partialResultCallback", None, URLS, NOT_URLS, 11100),
    ("Gather", "partialResultCallbackMethod", "POST", METHODS, NOT_METHODS, 13312),
    ("Gather", "speechModel", "default",
     same("default", "phone_call", "numbers_and_commands", "experimental_utterances", "googlev2_telephony",
      "deepgram_nova-2"),
     ["", "two words"], 13334),
    ("Gather", "enhanced", False, BOOLEAN, NOT_BOOLEAN, 13335),
    ("Gather", "bargeIn", True, BOOLEAN, NOT_BOOLEAN, 13332),
    ("Gather", "maxSpeechTime", None, POSITIVE, NOT_POSITIVE, 13328),
    ("Gather", "debug", False, BOOLEAN, NOT_BOOLEAN, 13333),
    ("Record", "method", "POST", METHODS, NOT_METHODS, 13610),
    ("Record", "timeout", 5, {"0": 0, "5": 5, "60": 60}, ["", "-1", "2.5", "five"], 13611),
    ("Record", "finishOnKey", "1234567890*#", same("#", "*#", "0123456789", ""), ["A", " ", "1,2"], 13613),
    ("Record", "maxLength", 3600, {"1": 1, "120": 120, "14400": 14400}, ["", "0", "14401", "x"], 13612),
    ("Record", "playBeep", True, BOOLEAN, NOT_BOOLEAN, 13616),
    ("Record", "trim", "trim-silence", same("trim-silence", "do-not-trim"), ["", "true"], 13699),
    ("Record", "recordingStatusCallback", None, URLS, NOT_URLS, 13619),
    ("Record", "recordingStatusCallbackMethod", "POST", METHODS, NOT_METHODS, 13620),
    ("Record", "recordingStatusCallbackEvent", frozenset({"completed"}), RECORDING_EVENTS, ["done",
     "completed,absent"], 13621),
    ("Record", "transcribe", False, BOOLEAN, NOT_BOOLEAN, 13614),
    ("Record", "transcribeCallback", None, URLS, NOT_URLS, 13257),
    ("Redirect", "method", "POST", METHODS, NOT_METHODS, 13710),
    ("Reject", "reason", "rejected", same("rejected", "busy"), ["", "Busy", "no"], 13810),
    ("Dial", "method", "POST", METHODS, NOT_METHODS, 13210),
    ("Dial", "timeout", 30, {"5": 5, "600": 600}, ["", "4", "601", "-1", "x"], 13212),
    ("Dial", "hangupOnStar", False, BOOLEAN, NOT_BOOLEAN, 13213),
    ("Dial", "timeLimit", 14400, {"1": 1, "14400": 14400, "86400": 86400}, ["", "0", "86401", "x"], 13216),
    ("Dial", "callerId", None, same("+15551234567", "client:alice", "sip:a@b", "anonymous"), ["", "a b",
     "<x>"], 13214),
    ("Dial", "answerOnBridge", False, BOOLEAN, NOT_BOOLEAN, 13219),
    ("Dial", "ringTone", None, same(*RING_TONES), ["", "xx", "US"], 13220),
    ("Dial", "record", "do-not-record",
     same("do-not-record", "record-from-answer", "record-from-ringing", "record-from-answer-dual",
      "record-from-ringing-dual",
          "true", "false"), ["", "yes", "record"], 13217),
    ("Dial", "trim", "do-not-trim", same("trim-silence", "do-not-trim"), ["", "true"], 13299),
    ("Dial", "recordingStatusCallback", None, URLS, NOT_URLS, 13256),
    ("Dial", "recordingStatusCallbackMethod", "POST", METHODS, NOT_METHODS, 13256),
    ("Dial", "recordingStatusCallbackEvent", frozenset({"completed"}), RECORDING_EVENTS, ["done",
     "completed,absent"], 13256),
    ("Dial", "recordingTrack", "both", same("inbound", "outbound", "both"), ["", "all"], 13299),
    ("Dial", "referUrl", None, URLS, NOT_URLS, 13299),
    ("Dial", "referMethod", "POST", METHODS, NOT_METHODS, 13299),
    ("Dial", "sequential", False, BOOLEAN, NOT_BOOLEAN, 13218),
    ("Dial", "callReason", "", same("", "Your order", "x" * 50), ["x" * 51], 13299),
    ("Conference", "muted", False, BOOLEAN, NOT_BOOLEAN, 13230),
    ("Conference", "beep", "true", same("true", "false", "onEnter", "onExit"), ["", "onenter", "both"],
     13235),
    ("Conference", "startConferenceOnEnter", True, BOOLEAN, NOT_BOOLEAN, 13232),
    ("Conference", "endConferenceOnExit", False, BOOLEAN, NOT_BOOLEAN, 13231),
    ("Conference", "participantLabel", None, same("alice", "x" * 128, "CArol", "line 2"),
     ["", "x" * 129, "a/b", "a%2Fb", "a%2fb", "CA" + "0" * 32], 16023),
    ("Conference", "jitterBufferSize", "large", same("off", "small", "medium", "large"), ["", "huge", "Off"],
     13299),
    ("Conference", "waitUrl", None, URLS, NOT_URLS, 13233),
    ("Conference", "waitMethod", "POST", METHODS, NOT_METHODS, 13234),
    ("Conference", "coach", None, same("CA" + "0" * 32), ["", "alice", "CF" + "0" * 32, "CA" + "0" * 31,
     "CA" + "X" * 32], 13240),
    ("Conference", "maxParticipants", 250, {"2": 2, "250": 250}, ["", "0", "251", "-3", "many"], 13299),
    ("Conference", "record", "do-not-record", same("do-not-record", "record-from-start"), ["", "true",
     "record-from-answer"], 13217),
    ("Conference", "trim", "trim-silence", same("trim-silence", "do-not-trim"), ["", "yes"], 13239),
    ("Conference", "townhallRecordingChannels", "mono", same("mono", "dual", "per-talker"), ["", "stereo"],
     13217),
    ("Conference", "townhallAutoGain", None, BOOLEAN, NOT_BOOLEAN, 13299),
    ("Conference", "townhallHoldGuard", None, BOOLEAN, NOT_BOOLEAN, 13299),
    ("Conference", "townhallNoiseSuppression", None, BOOLEAN, NOT_BOOLEAN, 13299),
    ("Conference", "region", None, same("us1", "us2", "ie1", "de1", "sg1", "br1", "au1", "jp1"), ["", "eu",
     "US1"], 13299),
    ("Conference", "statusCallback", None, URLS, NOT_URLS, 13299),
    ("Conference", "statusCallbackMethod", "POST", METHODS, NOT_METHODS, 13299),
    ("Conference", "statusCallbackEvent", frozenset(),
     {"": frozenset(), "start end": frozenset({"start", "end"}), " join\nleave  mute ": frozenset({"join",
      "leave", "mute"}),
      "hold modify speaker announcement": frozenset({"hold", "modify", "speaker", "announcement"})},
     ["started", "start,end", "Start"], 13299),
    ("Conference", "recordingStatusCallback", None, URLS, NOT_URLS, 13256),
    ("Conference", "recordingStatusCallbackMethod", "POST", METHODS, NOT_METHODS, 13256),
    ("Conference", "recordingStatusCallbackEvent", frozenset({"completed"}), RECORDING_EVENTS, ["done"],
     13256),
    ("Conference", "eventCallbackUrl", None, URLS, NOT_URLS, 13299),
    ("Queue", "url", None, URLS, NOT_URLS, 14211),
    ("Queue", "method", "POST", METHODS, NOT_METHODS, 14210),
    ("Enqueue", "method", "POST", METHODS, NOT_METHODS, 14201),
    ("Enqueue", "waitUrl", None, URLS, NOT_URLS, 14202),
    ("Enqueue", "waitUrlMethod", "POST", METHODS, NOT_METHODS, 14206),
    ("Enqueue", "workflowSid", None, same("WW" + "0" * 32), ["", "WW", "QU" + "0" * 32], 14207),
]  # fmt: skip

ANYTHING_GOES = {
    ("Record", "action"), ("Record", "recordingConfigurationId"),
    ("Gather", "action"), ("Dial", "action"), ("Dial", "recordingConfigurationId"), ("Dial", "events"),
    ("Dial", "passports"), ("Conference", "recordingConfigurationId"), ("Enqueue", "action"),
    ("Queue", "reservationSid"), ("Queue", "postWorkActivitySid"),
}  # fmt: skip
"""Read as they are: an action's URL is judged when it is asked for (11100, 15004)."""


def read(element: str, attribute: str, text: str | None) -> tuple[Any, list[Any]]:
    """The attribute's value in `<element attribute="text">`, and the notices."""
    node = etree.Element(element)
    if text is not None:
        try:
            node.set(attribute, text)
        except ValueError:
            pytest.fail(f"{text!r} can't stand in XML")
    book = NoticeBook("http://x.example/")
    declared = next(row for row in TABLES[element] if row.name == attribute)
    value = AttributeReader(node, TABLES[element], book)[declared]
    return value, list(book.listed())


IDS = [f"{row[0]}-{row[1]}" for row in ROWS]


@pytest.mark.parametrize(("element", "attribute", "default", "allowed", "bad", "code"), ROWS, ids=IDS)
def test_attribute_obeys_its_row(element, attribute, default, allowed, bad, code):
    assert read(element, attribute, None) == (default, [])
    for text, value in allowed.items():
        assert read(element, attribute, text) == (value, []), text
    for text in bad:
        value, notices = read(element, attribute, text)
        assert (value, [notice.code for notice in notices]) == (default, [code]), text
        assert f"<{element}> {attribute}: read " in notices[0].message
        assert "expected " in notices[0].message


def test_tables_hold_no_other_attributes():
    declared = {(element, attribute.name) for element, table in TABLES.items() for attribute in table}
    assert declared == {row[:2] for row in ROWS} | ANYTHING_GOES


@pytest.mark.parametrize("element", [*TABLES, "Hangup", "Leave"])
def test_unknown_attribute_is_12200(element):
    inner = f'<{element} colour="red">x</{element}>'
    outer = f"<Dial>{inner}</Dial>" if element in ("Conference", "Queue") else inner
    document = parse_document(f"<Response>{outer}</Response>")
    assert [notice.code for notice in document.notices] == [12200]
    assert '"colour"' in document.notices[0].message


def test_attribute_names_are_case_sensitive():
    document = parse_document('<Response><Gather NumDigits="1"/></Response>')
    assert [notice.code for notice in document.notices] == [12200]


WORDS = {"say": "Hello", "play": "/a.mp3", "redirect": "/next"}


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)


SPEECH_WARNING = 13326
TRANSCRIPTION_WARNING = 13614


@pytest.mark.parametrize(
    ("element", "attribute", "allowed"), [(row[0], row[1], row[3]) for row in ROWS], ids=IDS
)
def test_official_builder_writes_what_we_read(element, attribute, allowed):
    """The twilio package's TwiML with every allowed value parses without a warning."""
    for text in allowed:
        response = VoiceResponse()
        given = {_snake(attribute): text}
        if element == "Conference":
            response.append(dial_of := Dial())
            dial_of.conference("Room 1234", **given)
        elif element == "Queue":
            response.append(dial_of := Dial())
            dial_of.queue("support", **given)
        elif element == "Enqueue":
            response.enqueue("support", **given)
        elif element == "Dial":
            response.dial("+15551234567", **given)
        elif element == "Gather":
            response.append(gather_of := Gather(**given))
            gather_of.say("Press a key")
            gather_of.play("https://x.example/a.mp3")
            gather_of.pause(length=1)
        elif element in ("Say", "Play", "Redirect"):
            getattr(response, element.lower())(WORDS[element.lower()], **given)
        else:
            getattr(response, element.lower())(**given)
        assert f'{attribute}="' in str(response)
        codes = [notice.code for notice in parse_document(str(response)).notices]
        warned = {"input": "speech" in text, "transcribe": text == "true", "transcribeCallback": bool(text)}
        expected = SPEECH_WARNING if attribute == "input" else TRANSCRIPTION_WARNING
        assert codes == ([expected] if warned.get(attribute) else [])


def test_every_verb_and_attribute_is_in_the_reference():
    reference = (Path(__file__).parents[2] / "docs" / "reference" / "twiml.md").read_text("utf-8")
    for element, table in TABLES.items():
        _, _, section = reference.partition(f"## `<{element}>`")
        section, _, _ = section.partition("\n## ")
        missing = [attribute.name for attribute in table if f"| `{attribute.name}` | " not in section]
        assert (element, missing) == (element, [])
    assert "## `<Hangup>`" in reference
    assert "## `<Leave>`" in reference
