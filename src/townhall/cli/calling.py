"""`townhall call`: a small phone of our own, for trying things out without one."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from townhall.cli.printing import complain, fail


class How(StrEnum):
    RFC4733 = "rfc4733"
    INFO = "info"
    INBAND = "inband"


class Transport(StrEnum):
    UDP = "udp"
    TCP = "tcp"


class Codec(StrEnum):
    PCMU = "PCMU"
    PCMA = "PCMA"
    G722 = "G722"


def call(
    target: Annotated[
        str, typer.Argument(metavar="SIP-URI", help="Whom to call, such as sip:1000@127.0.0.1.")
    ],
    press: Annotated[
        str, typer.Option(help="Keys to press: 0-9 * # A-D; w and W wait 0.5 and 1 s, @3 until second 3.")
    ] = "",
    how: Annotated[How | None, typer.Option(help="How keys are sent; default: as agreed.")] = None,
    play: Annotated[Path | None, typer.Option(help="Say this audio file.")] = None,
    record: Annotated[Path | None, typer.Option(help="Write what is heard to this WAV file.")] = None,
    tone: Annotated[float | None, typer.Option(metavar="HZ", min=50, max=3500, help="Say this tone.")] = None,
    seconds: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", min=0.1, help="Hang up after so long.")
    ] = None,
    transport: Annotated[Transport, typer.Option(help="How to signal.")] = Transport.UDP,
    codec: Annotated[
        list[Codec] | None,
        typer.Option(case_sensitive=False, help="Offer this codec; may be given several times."),
    ] = None,
    user: Annotated[str, typer.Option(help="Who calls: the user part of the caller's address.")] = "phone",
    address: Annotated[
        str, typer.Option(help="This machine's address to call from; default: as the target needs.")
    ] = "",
) -> None:
    """Call a SIP address and tell what happens; Ctrl-C hangs up.

    A moderator and a speaker: [bold]townhall call sip:1000@127.0.0.1 --press 3[/bold] and, in another
    terminal, [bold]townhall call sip:1000@127.0.0.1 --press 2 --tone 440[/bold].
    """
    from townhall.phone import Outing, PhoneError, PhoneSettings, go_out

    try:
        outing = Outing(
            target=target if ":" in target.partition("@")[0] else f"sip:{target}",
            settings=PhoneSettings(
                host=address or own_address(target),
                user=user,
                transport=transport.value,
                codecs=tuple(chosen.value for chosen in codec or (Codec.PCMU, Codec.PCMA)),
                tone_hz=tone,
            ),
            press=press,
            press_how=how.value if how else None,
            play=play,
            record=record,
            seconds=seconds,
        )
    except PhoneError as error:
        fail(str(error), 2)
    try:
        status = asyncio.run(go_out(outing, print_now))
    except KeyboardInterrupt:
        status = 130
    except OSError as error:
        complain(f"cannot call: {error.strerror or error}{f' ({error.filename})' if error.filename else ''}")
        status = 1
    raise typer.Exit(status)


def print_now(line: str) -> None:
    print(line, flush=True)


def own_address(target: str) -> str:
    """This machine's address as the target sees it; ends with status 1 when there is no way there."""
    import socket

    host = target.rpartition("@")[2].removeprefix("sip:").partition(";")[0].partition("?")[0]
    bare = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        family, kind, _, _, where = socket.getaddrinfo(bare, 5060, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(where)
            return str(probe.getsockname()[0])
    except (OSError, UnicodeError):
        fail(f"{bare!r} in {target!r} cannot be reached from here")
