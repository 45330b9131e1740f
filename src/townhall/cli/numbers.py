"""`townhall number`: numbers that a webhook of yours answers with TwiML."""

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from townhall.cli import checks
from townhall.cli.printing import fail, print_table
from townhall.cli.stored import with_store

if TYPE_CHECKING:
    from townhall.store import Number as StoredNumber
    from townhall.store import Store

app = typer.Typer(help="Manage numbers that your own webhooks answer.", no_args_is_help=True)


class Method(StrEnum):
    GET = "GET"
    POST = "POST"


Number = Annotated[str, typer.Argument(metavar="NUMBER", help="What people dial: 1001, +15550100.")]
VoiceMethod = Annotated[Method | None, typer.Option("--method", help="How the voice URL is requested.")]
Fallback = Annotated[
    str | None,
    typer.Option("--fallback", help='Requested when the voice URL fails; "" for none.'),
]
FallbackMethod = Annotated[Method | None, typer.Option(help="How the fallback is requested.")]
StatusCallback = Annotated[str | None, typer.Option(help='Told when a call is over; "" for none.')]
StatusCallbackMethod = Annotated[Method | None, typer.Option(help="How the status callback is requested.")]


@app.command("list")
def show() -> None:
    """List the numbers."""

    async def read(store: "Store") -> "list[StoredNumber]":
        return list(await store.numbers.list())

    rows = [
        (
            number.number,
            f"{number.voice_method} {number.voice_url}",
            f"{number.voice_fallback_method} {number.voice_fallback_url}"
            if number.voice_fallback_url
            else "",
            f"{number.status_callback_method} {number.status_callback}" if number.status_callback else "",
        )
        for number in with_store(read)
    ]
    columns = ("Number", "Voice URL", "Fallback", "Status callback")
    print_table(columns, rows, "There are no numbers; `townhall number add NUMBER URL` makes one.")


@app.command()
def add(
    number: Number,
    voice_url: Annotated[str, typer.Argument(metavar="URL", help="What answers calls.")],
    method: VoiceMethod = None,
    fallback: Fallback = None,
    fallback_method: FallbackMethod = None,
    status_callback: StatusCallback = None,
    status_callback_method: StatusCallbackMethod = None,
) -> None:
    """Add a number whose calls the TwiML at URL answers."""
    given = _given(voice_url, method, fallback, fallback_method, status_callback, status_callback_method)

    async def work(store: "Store") -> None:
        from townhall.store import Number

        stored = Number(**({"number": number} | given))
        checks.refuse_bad_number(stored)
        await store.numbers.add(stored)

    with_store(work)
    print(f"Number {number} is there.")


@app.command()
def change(
    number: Number,
    voice_url: Annotated[str | None, typer.Option("--url", help="What answers calls.")] = None,
    method: VoiceMethod = None,
    fallback: Fallback = None,
    fallback_method: FallbackMethod = None,
    status_callback: StatusCallback = None,
    status_callback_method: StatusCallbackMethod = None,
) -> None:
    """Change what you name; the rest stays. Calls notice within a second."""
    given = _given(voice_url, method, fallback, fallback_method, status_callback, status_callback_method)
    if not given:
        fail("nothing to change; `townhall number change --help` lists what can be", 2)

    async def work(store: "Store") -> None:
        if stored := await store.numbers.get(number):
            checks.refuse_bad_number(replace(stored, **given))
        await store.numbers.change(number, **given)

    with_store(work)
    print(f"Number {number} is changed.")


@app.command()
def remove(number: Number) -> None:
    """Remove a number. Calls that are under way go on."""

    async def work(store: "Store") -> None:
        await store.numbers.remove(number)

    with_store(work)
    print(f"Number {number} is removed.")


def _given(
    voice_url: str | None,
    method: Method | None,
    fallback: str | None,
    fallback_method: Method | None,
    status_callback: str | None,
    status_callback_method: Method | None,
) -> dict[str, Any]:
    """The store's fields for the options that were used; an empty text takes a field's value away."""
    texts = {
        "voice_url": voice_url,
        "voice_fallback_url": fallback,
        "status_callback": status_callback,
    }
    methods = {
        "voice_method": method,
        "voice_fallback_method": fallback_method,
        "status_callback_method": status_callback_method,
    }
    given: dict[str, Any] = {name: text or None for name, text in texts.items() if text is not None}
    if "voice_url" in given:
        given["voice_url"] = voice_url  # which must not be taken away: the store refuses an empty one
    return given | {name: method.value for name, method in methods.items() if method is not None}
