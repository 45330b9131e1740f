"""What is given for a line or a number, brought into the store's form. The rules are the store's own."""

from typing import TYPE_CHECKING

import typer

from townhall.cli.printing import fail

if TYPE_CHECKING:
    from townhall.store import Line, Number


def refuse_bad_line(line: "Line") -> None:
    """End with status 2 when a value of the line cannot be used."""
    from townhall.store import StoreError
    from townhall.store.validation import check_line

    if line.speaker_pin and line.speaker_pin == line.moderator_pin:
        fail("the two PINs must differ, or every speaker could moderate", 2)
    try:
        check_line(line)
    except StoreError as error:
        fail(str(error), 2)


def refuse_bad_number(number: "Number") -> None:
    """End with status 2 when a value of the number cannot be used."""
    from townhall.store import StoreError
    from townhall.store.validation import check_number

    if not number.voice_url and number.voice_application_sid is None:
        fail("the voice URL cannot be ''; allowed: an absolute http or https URL", 2)
    try:
        check_number(number)
    except StoreError as error:
        fail(str(error), 2)


def music(value: str) -> str | None:
    """A line's wait URL: None for the default music, empty for silence."""
    known = {"default": None, "silence": ""}
    if value in known:
        return known[value]
    if not value.startswith(("http://", "https://")):
        fail(f'the music cannot be {value!r}; allowed: "default", "silence" or a web address', 2)
    return value


def pin(value: str, whose: str) -> str:
    """The PIN as given; `-` asks for it without showing it."""
    if value != "-":
        return value
    return str(typer.prompt(f"{whose} PIN", hide_input=True, confirmation_prompt=True, err=True))
