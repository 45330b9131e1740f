"""`townhall status`: what the running server says of itself at /health."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from townhall.cli.printing import fail, print_facts

TIMEOUT_S = 5.0
MAX_BYTES = 1_000_000


def status(
    url: Annotated[str, typer.Option(help="The server's web address; default: this machine's own.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON as it came.")] = False,
) -> None:
    """Show what the running server is doing."""
    from townhall.settings import load_settings

    address, cert = url.rstrip("/"), None
    if not address:
        settings = load_settings()
        address, cert = settings.local_url, settings.tls_cert
    try:
        body = _fetch(f"{address}/health", cert)
        health = json.loads(body)
        facts = facts_of(health)
    except OSError as error:
        reason = getattr(error, "reason", None) or error
        fail(f"no Townhall answers at {address} ({reason}); is `townhall serve` running?")
    except (ValueError, TypeError, AttributeError, KeyError):
        fail(f"what answers at {address} is not a Townhall")
    if as_json:
        print(body.decode("utf-8", "replace"))
    else:
        print_facts(facts)
    raise typer.Exit(0 if health.get("status") == "ok" else 1)


def facts_of(health: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and values for people; raises `KeyError` and the like for anything else."""
    facts = [
        ("status", f"{health['status']}, version {health['version']}"),
        ("up for", _duration(float(health["uptime_s"]))),
        ("listens at", "  ".join(map(str, health["sip"])) or "nothing"),
        ("calls", str(health["calls"])),
        ("conferences", str(health["conferences"])),
    ]
    media = health.get("media")
    if isinstance(media, dict):
        times = (f"{name} {media[f'tick_{name}_ms']:.1f}" for name in ("p50", "p99", "max"))
        facts += [
            ("media legs", f"{media['legs']}{_spread(media)}"),
            ("media ticks", f"{', '.join(times)} ms; {media['ticks_late']} of {media['ticks']} late"),
            ("packets", f"{media['packets_received']} in, {media['packets_sent']} out"),
            ("dropped", f"{media['unknown_source']} from unknown sources, {media['malformed']} malformed"),
        ]
    return facts


def _spread(media: dict[str, Any]) -> str:
    processes = int(media.get("processes", 1))
    return f" in {processes} processes" if processes > 1 else ""


def _fetch(url: str, cert: Path | None = None) -> bytes:
    """The body, whatever the status; raises `OSError` when nothing answers, `ValueError` for a bad URL.

    `cert`: the certificate that must be shown, whatever its name: it is not made out to this machine's own
    address.
    """
    import ssl
    import urllib.error
    import urllib.request

    trusted = ssl.create_default_context(cafile=cert)
    if cert is not None:
        trusted.check_hostname = False
        trusted.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
    )
    try:
        with opener.open(url, timeout=TIMEOUT_S) as answer:
            return bytes(answer.read(MAX_BYTES))
    except urllib.error.HTTPError as error:
        return bytes(error.read(MAX_BYTES))


def _duration(seconds: float) -> str:
    minutes, _ = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds:.0f} s"
