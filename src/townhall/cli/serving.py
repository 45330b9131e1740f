"""`townhall serve`: settings and logs are put in place, then the server runs in the foreground."""

import errno
import json
import logging
import sys
from typing import Literal

from townhall.cli.printing import fail


def serve() -> None:
    """Start the server and stay in the foreground; Ctrl-C hangs up and stops.

    Settings come from TOWNHALL_… variables or townhall.toml: see docs/reference/settings.md.
    """
    from townhall.settings import load_settings

    settings = load_settings()
    set_up_logs(settings.log_level, settings.log_format)
    from townhall.server import serve

    try:
        serve(settings)
    except OSError as error:
        ports = f"TOWNHALL_HTTP_PORT {settings.http_port} or TOWNHALL_SIP_PORT {settings.sip_port}"
        hosts = f"TOWNHALL_BIND {', '.join(settings.bind)}"
        advice = {
            errno.EADDRINUSE: f"{ports} is taken, perhaps by another Townhall",
            errno.EADDRNOTAVAIL: f"{hosts} is not an address of this machine",
            errno.EACCES: "ports below 1024 are for root",
        }
        fail(f"cannot start ({error.strerror or error}); {advice.get(error.errno or 0, 'see the log')}")


def set_up_logs(level: str, style: Literal["text", "json"]) -> None:
    """Everything to stderr; other people's libraries only when something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if style == "json" else text)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("townhall").setLevel(level.upper())


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)
