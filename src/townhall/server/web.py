"""Uvicorn as Townhall runs it: bounded, quiet, with or without TLS, behind a proxy or not."""

from typing import Any

import uvicorn
from starlette.types import ASGIApp

from townhall.api.connections import BoundedHTTP, TrustedProxies
from townhall.server.certificate import Certificate
from townhall.server.network import QuietServer
from townhall.settings import Settings

HSTS = ("Strict-Transport-Security", "max-age=31536000")
"""A year. Only where the operator has named a public address with HTTPS: nobody is to be locked out of a
machine whose certificate was an attempt.
"""


def web_server(
    app: ASGIApp, settings: Settings, certificate: Certificate | None = None, **options: Any
) -> QuietServer:
    """`options` are uvicorn's. Without `certificate` it speaks plain HTTP."""
    proxies = settings.trusted_proxies

    class HTTP(BoundedHTTP):
        proxies = TrustedProxies(settings.trusted_proxies)

    is_public = certificate is not None and (settings.public_url or "").startswith("https://")
    config = uvicorn.Config(
        app,
        http=HTTP,
        log_config=None,
        access_log=False,
        lifespan="off",
        # Uvicorn would believe anybody on this machine.
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        headers=[HSTS] if is_public else [],
        **options,
    )
    return QuietServer(config, certificate.context if certificate else None)
