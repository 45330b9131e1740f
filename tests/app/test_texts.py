from dataclasses import fields

import pytest

from townhall.app import Line, spoken_texts
from townhall.app.lines import dialled_number
from townhall.app.texts import CATALOGUE, Texts, texts_for


@pytest.mark.parametrize("language", CATALOGUE)
def test_catalogue_is_complete_and_each_text_its_own(language: str) -> None:
    texts = [getattr(CATALOGUE[language], text.name) for text in fields(Texts)]
    assert all(text.strip() and len(text) < 200 for text in texts)
    assert len(set(texts)) == len(texts)
    assert "{minutes}" in CATALOGUE[language].wait_minutes


@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        ("en-GB", "en-GB"),
        ("de-AT", "de-AT"),
        ("FR-ca", "FR-ca"),
        ("es", "es"),
        ("pl-PL", "en-US"),
        ("", "en-US"),
    ],
)
def test_line_is_spoken_to_in_its_language_or_english(language: str, spoken: str) -> None:
    assert texts_for(language)[1] == spoken


def test_texts_of_a_line_begin_with_its_welcome() -> None:
    texts = spoken_texts(Line("1", "Room", welcome="Ciao.", language="it-IT", speaker_pin="1234"))
    assert texts[0] == ("Ciao.", "it-IT")
    assert (CATALOGUE["en"].ask_pin, "en-US") in texts
    assert (CATALOGUE["en"].ask_pin, "en-US") not in spoken_texts(Line("1", "Room"))


@pytest.mark.parametrize(
    ("to", "number"),
    [
        ("sip:1000@calls.example.com", "1000"),
        ("sip:1000@calls.example.com:5060;transport=udp", "1000"),
        ("SIPS:1000;phone-context=x@host", "1000"),
        ("sip:anna%20b:secret@host", "anna b"),
        ("sip:host", ""),
        ("+15550100", "+15550100"),
        (" 1000 ", "1000"),
        ("client:1000", "1000"),
        ("tel:+15550100;ext=1", "+15550100"),
        ("", ""),
    ],
)
def test_number_is_read_from_to(to: str, number: str) -> None:
    assert dialled_number(to) == number


def test_line_never_shows_its_pins() -> None:
    assert "1234" not in repr(Line("1", "Room", speaker_pin="1234", moderator_pin="1234"))
