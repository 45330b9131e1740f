"""SSML to pieces, and voice names to voices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townhall.speech.ssml import Silence, Words, pieces_of
from townhall.speech.voices import Voice, choose_voice
from townhall.twiml.control import Utterance


@pytest.mark.parametrize(
    ("ssml", "pieces"),
    [
        ("Hello", [Words("Hello")]),
        ("Hello <break/> you", [Words("Hello"), Silence(400), Words("you")]),
        ('a<break time="1.5s"/>b', [Words("a"), Silence(1500), Words("b")]),
        ('a<break time="250ms"/>b', [Words("a"), Silence(250), Words("b")]),
        ('a<break time="99999s"/>b', [Words("a"), Silence(10_000), Words("b")]),
        ('a<break time="soon" strength="x-strong"/>', [Words("a"), Silence(1000)]),
        ('a <break strength="none"/>b', [Words("a b")]),
        ("<s>One.</s><s>Two.</s>", [Words("One."), Silence(300), Words("Two."), Silence(300)]),
        ("<p>One.</p>Two.", [Words("One."), Silence(600), Words("Two.")]),
        ('a <prosody rate="slow">b</prosody> c', [Words("a"), Words("b", 0.8), Words("c")]),
        ('<prosody rate="150%">b</prosody>', [Words("b", 1.5)]),
        ('<prosody rate="1%"><prosody rate="1%">b</prosody></prosody>', [Words("b", 0.5)]),
        ('<prosody volume="loud">b</prosody>', [Words("b")]),
        ('<emphasis level="reduced">b</emphasis>', [Words("b", 1.1)]),
        ('PIN <say-as interpret-as="digits">12 34</say-as>.', [Words("PIN 1, 2, 3, 4.")]),
        ('<say-as interpret-as="telephone">+1 (555)</say-as>', [Words("+, 1, 5, 5, 5")]),
        ('<say-as interpret-as="date">2026</say-as>', [Words("2026")]),
        ('<sub alias="World Wide Web">WWW</sub> now', [Words("World Wide Web now")]),
        ('<lang xml:lang="fr-FR">oui</lang> <phoneme ph="x">a</phoneme>', [Words("oui a")]),
        ('<amazon:effect name="whispered">psst</amazon:effect>', [Words("psst")]),
        ("<!-- no -->a<?no no?>b", [Words("ab")]),
        ("broken <b>", [Words("the plain text")]),
        ("&unknown;", [Words("the plain text")]),
        ("a\x01b", [Words("the plain text")]),
        ("tom &amp; anna", [Words("tom & anna")]),
        ("a [[x]] b", [Words("a x b")]),
        ("<p></p>", [Silence(600)]),
    ],
)
def test_ssml_is_split_into_words_and_silences(ssml: str, pieces: list[object]) -> None:
    assert list(pieces_of(Utterance("the plain text", ssml=ssml))) == pieces


def test_plain_text_is_never_read_as_markup() -> None:
    assert pieces_of(Utterance("a <break/> [[b]]\n\tc\x07")) == (Words("a <break/> b c"),)


@given(st.text())
def test_any_ssml_gives_pieces_within_their_bounds(ssml: str) -> None:
    for piece in pieces_of(Utterance("text", ssml=ssml)):
        if isinstance(piece, Words):
            assert piece.text.strip()
            assert 0.5 <= piece.rate <= 2
        else:
            assert 0 < piece.milliseconds <= 10_000


def test_ssml_nested_beyond_measure_is_cut_not_crashed() -> None:
    assert isinstance(pieces_of(Utterance("x", ssml="<s>" * 200 + "deep" + "</s>" * 200)), tuple)


@pytest.mark.parametrize(
    ("name", "language", "voice"),
    [
        ("man", "de-DE", Voice("de-DE", False)),
        ("woman", "de-DE", Voice("de-DE", True)),
        ("alice", "fr-FR", Voice("fr-FR", True)),
        ("Polly.Hans", "en-US", Voice("de-DE", False)),
        ("Polly.Vicki-Neural", "en-US", Voice("de-DE", True)),
        ("polly.lucia", "en-US", Voice("es-ES", True)),
        ("Polly.Nobody", "sv-SE", Voice("sv-SE", True)),
        ("Google.it-IT-Standard-A", "en-US", Voice("it-IT", True)),
        ("Google.it-IT-Standard-B", "en-US", Voice("it-IT", False)),
        ("Google.rubbish", "it-IT", Voice("it-IT", False)),
        ("", "", Voice("en-US", False)),
    ],
)
def test_voice_name_gives_language_and_sex(name: str, language: str, voice: Voice) -> None:
    assert choose_voice(name, language) == voice


@pytest.mark.parametrize(
    ("voice", "names"),
    [
        (Voice("de-AT", False), ["de-at", "de", "en-us"]),
        (Voice("de-DE", True), ["de-de+f3", "de+f3", "en-us+f3"]),
        (Voice("zh-CN", False), ["zh-cn", "cmn", "en-us"]),
        (Voice("en-US", False), ["en-us", "en"]),
        (Voice("../x", False), ["en-us"]),
    ],
)
def test_espeak_names_end_with_one_that_exists(voice: Voice, names: list[str]) -> None:
    assert voice.espeak_names == names
