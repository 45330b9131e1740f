"""The media process: `python -m townhall.media DESCRIPTOR SETTINGS`, started by `MediaProcess` only."""

import logging
import os
import signal
import socket
import sys

import msgspec

from townhall.media.loop import Loop
from townhall.media.secure import CertificateError
from townhall.media.settings import MediaSettings
from townhall.media.sockets import BindError


def main() -> int:
    """Serve until the control socket, an inherited descriptor, closes."""
    logging.basicConfig(level=logging.INFO, format="media: %(message)s")
    descriptor, text = sys.argv[1:]
    settings = msgspec.json.decode(text, type=MediaSettings)
    # Control decides when we go: it hangs up calls first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        loop = Loop(settings, socket.socket(fileno=int(descriptor)))
    except (BindError, CertificateError) as error:
        logging.error("%s", error)
        return 1
    loop.run()
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # a loader thread deep in a file must not hold the process
