"""`townhall serve`: from the first word on the terminal to the last."""

import asyncio
import gc
import signal
import sys
from pathlib import Path

import uvloop

from townhall import __version__
from townhall.server.assembly import Server
from townhall.server.network import allow_open_files
from townhall.settings import Settings


def serve(settings: Settings) -> None:
    """Run the server in the foreground until it is told to stop."""
    allow_open_files()
    uvloop.run(run(settings))


async def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, which also end a start that hangs."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = Server(settings)
    if settings.tls_cert:
        loop.add_signal_handler(signal.SIGHUP, server.renew_certificate)
    stopping = asyncio.create_task(stop.wait())
    starting = asyncio.create_task(server.start())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.wait({starting})
        return
    await starting
    _spare_the_collector()
    _hurry_the_threads()
    print(welcome(server), flush=True)  # noqa: T201
    await stopping
    print("\nHanging up and leaving.", flush=True)  # noqa: T201
    await server.stop()


def welcome(server: Server) -> str:
    """What `townhall serve` prints once calls are taken."""
    _, host, port = server.user_agent.addresses[0]
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    shown = f"[{here}]" if ":" in here else here
    call, command = f"sip:1000@{shown}:{port}", _command()
    elsewhere = "" if here == host else "; from elsewhere at this machine's address"
    return "\n".join(
        (
            f"Townhall {__version__} takes calls.",
            "",
            f"  Browser  {server.base_url}/",
            f"  Console  {server.base_url}/console",
            f"  Phone    {call}  (UDP and TCP{elsewhere})",
            f"  Data     {server.settings.data_dir}  (database, recordings; passwords in credentials.toml)",
            f"  Voice    {server.speech.description}",
            "",
            f"Try it: open {server.base_url}/ in a browser, click Call and press 3 to moderate; a second",
            "tab may listen. Or from another terminal, a speaker with a tone for a voice:",
            f"  {command} call {call} --press 2 --tone 440",
            "",
            "Ctrl-C hangs up and stops.",
        )
    )


def _command() -> str:
    """How this program was called, for commands that can be copied: `.venv/bin/townhall` or `townhall`."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "townhall" else "townhall"


def _spare_the_collector() -> None:
    """Keep what lives as long as the server out of the garbage collector's rounds, and make them rarer.

    A full round over all the libraries' objects stalls every call meanwhile: without it the slowest answers
    at 60 calls a second came three times as fast. A round takes 1 ms for each 1,000 objects that it looks at,
    so the middle ones look at 25,000; at 400,000 one of them kept fifty callers waiting.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 4, 1_000)


def _hurry_the_threads() -> None:
    """Give the interpreter to a thread that waits for it after 0.5 ms, not 5.

    The store's writer gives it up at each statement and has to get it back: with calls coming in all the
    time, a commit of fifty took a quarter of a second, and a call is not answered before its own.
    """
    sys.setswitchinterval(0.0005)
