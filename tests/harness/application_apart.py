"""Our conference application as a process of its own, as it would run beside Twilio.

`python application_apart.py ADDRESS TOKEN NUMBER`: serves one line on a free port, and prints a line of
JSON with its URL and the modules of ours that it loaded.
"""

import asyncio
import json
import socket
import sys

import uvicorn

from townhall.app import Line, create_app


class OneLine:
    """A `LineBook` of one line."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def get(self, number: str) -> Line | None:
        return self._line if number == self._line.number else None


def main(address: str, token: str, number: str) -> None:
    listener = socket.create_server((address, 0))
    url = f"http://{address}:{listener.getsockname()[1]}"
    application = create_app(OneLine(Line(number, "a room apart", moderator_pin="2718")), token, url)
    ours = sorted(name for name in sys.modules if name.partition(".")[0] == "townhall")
    print(json.dumps({"url": url, "modules": ours}), flush=True)
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
    asyncio.run(server.serve(sockets=[listener]))


if __name__ == "__main__":
    main(*sys.argv[1:])
