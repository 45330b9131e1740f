"""`townhall line`: the numbers that our own conference application answers."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from townhall.cli import checks
from townhall.cli.printing import complain, fail, print_table
from townhall.cli.stored import with_store

if TYPE_CHECKING:
    from townhall.store import Line, Store

app = typer.Typer(help="Manage lines: numbers with a menu and a conference.", no_args_is_help=True)

SAFE_PIN_DIGITS = 6

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="What people dial: 1000, +15550100.")]
Name = Annotated[
    str | None,
    typer.Option("--conference", help="The conference's name."),
]
Welcome = Annotated[str | None, typer.Option(help='Spoken first; "" for the usual welcome.')]
SpeakerPin = Annotated[
    str | None, typer.Option(help='PIN for speakers, 4 to 12 digits; "-" asks for it, "" takes it away.')
]
ModeratorPin = Annotated[str | None, typer.Option(help="PIN for moderators, likewise.")]
Voice = Annotated[str | None, typer.Option(help='Voice name, such as woman; "" for the default.')]
Language = Annotated[str | None, typer.Option(help="Language tag, such as de-DE.")]
Music = Annotated[
    str | None,
    typer.Option(help='Hold music: "default", "silence" or a web address.'),
]
WhenFull = Annotated[
    str | None,
    typer.Option(help='What callers get when the server is full: "busy", or "spoken" for words.'),
]
MaxParticipants = Annotated[int | None, typer.Option(min=2, help="Most people in the conference.")]


@app.command("list")
def show() -> None:
    """List the lines."""

    async def read(store: "Store") -> "list[Line]":
        return list(await store.lines.list())

    rows = [
        (
            line.number,
            line.conference_name,
            line.language,
            "default" if line.music is None else line.music or "silence",
            " and ".join(
                role
                for role, pin in (("speaker", line.speaker_pin), ("moderator", line.moderator_pin))
                if pin
            )
            or "none",
            line.welcome or "",
        )
        for line in with_store(read)
    ]
    columns = ("Number", "Conference", "Language", "Music", "PINs", "Welcome")
    print_table(columns, rows, "There are no lines; `townhall line add NUMBER` makes one.")


@app.command()
def add(
    number: Number,
    conference: Name = None,
    welcome: Welcome = None,
    speaker_pin: SpeakerPin = None,
    moderator_pin: ModeratorPin = None,
    voice: Voice = None,
    language: Language = None,
    music: Music = None,
    max_participants: MaxParticipants = None,
    when_full: WhenFull = None,
) -> None:
    """Add a line. Its conference is named after the number unless you say otherwise."""
    given = _given(conference, welcome, speaker_pin, moderator_pin, voice, language, music, max_participants)
    given |= {} if when_full is None else {"when_full": when_full}

    async def work(store: "Store") -> None:
        from townhall.store import Line

        line = Line(**({"number": number, "conference_name": number} | given))
        checks.refuse_bad_line(line)
        await store.lines.add(line)
        if await store.numbers.get(number):
            complain(f"note: number {number} has a voice URL of its own, which comes first")

    with_store(work)
    _advise(given)
    print(f"Line {number} is there.")


@app.command()
def change(
    number: Number,
    conference: Name = None,
    welcome: Welcome = None,
    speaker_pin: SpeakerPin = None,
    moderator_pin: ModeratorPin = None,
    voice: Voice = None,
    language: Language = None,
    music: Music = None,
    max_participants: MaxParticipants = None,
    when_full: WhenFull = None,
) -> None:
    """Change what you name; the rest stays. Callers notice with their next step."""
    given = _given(conference, welcome, speaker_pin, moderator_pin, voice, language, music, max_participants)
    given |= {} if when_full is None else {"when_full": when_full}
    if not given:
        fail("nothing to change; `townhall line change --help` lists what can be", 2)

    async def work(store: "Store") -> None:
        if line := await store.lines.get(number):
            checks.refuse_bad_line(replace(line, **given))
        await store.lines.change(number, **given)

    with_store(work)
    _advise(given)
    print(f"Line {number} is changed.")


@app.command()
def remove(number: Number) -> None:
    """Remove a line. Whoever is in its conference stays there."""

    async def work(store: "Store") -> None:
        await store.lines.remove(number)

    with_store(work)
    print(f"Line {number} is removed.")


def _given(
    conference: str | None,
    welcome: str | None,
    speaker_pin: str | None,
    moderator_pin: str | None,
    voice: str | None,
    language: str | None,
    music: str | None,
    max_participants: int | None,
) -> dict[str, Any]:
    """The store's fields for the options that were used; an empty text takes a field's value away."""
    texts = {
        "welcome": welcome,
        "speaker_pin": checks.pin(speaker_pin, "speaker") if speaker_pin else speaker_pin,
        "moderator_pin": checks.pin(moderator_pin, "moderator") if moderator_pin else moderator_pin,
        "voice": voice,
    }
    given: dict[str, Any] = {name: text or None for name, text in texts.items() if text is not None}
    wanted = {"conference_name": conference, "language": language, "max_participants": max_participants}
    given |= {name: value for name, value in wanted.items() if value is not None}
    return given if music is None else given | {"music": checks.music(music)}


def _advise(given: dict[str, Any]) -> None:
    for name in ("speaker_pin", "moderator_pin"):
        if given.get(name) and len(given[name]) < SAFE_PIN_DIGITS:
            complain(f"note: {SAFE_PIN_DIGITS} digits or more make a safer PIN; see docs/howto/pins.md")
            return
