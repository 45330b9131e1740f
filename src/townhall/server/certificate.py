"""The certificate of the web server: read, checked, and read again when its files change.

A renewed certificate serves the connections that are made from then on; those that are up, and calls, notice
nothing. Files that are wrong stop a start, but never a running server: that keeps what it has, and says so.
"""

import asyncio
import logging
import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from townhall.server.network import ServerError

log = logging.getLogger(__name__)

CERT, KEY = "TOWNHALL_TLS_CERT", "TOWNHALL_TLS_KEY"
LOOK_EVERY_S = 30.0
WARN_BEFORE = timedelta(days=7)
MOST_BYTES = 1 << 20


class Certificate:
    """A certificate chain and its key, as PEM files. Raises `ServerError` when they cannot serve."""

    def __init__(
        self, cert: Path, key: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._cert = cert
        self._key = key
        self._clock = clock
        self._seen = self._stamp()
        self._context, self.expires_at = self._load()
        self._warn()

    def context(self) -> ssl.SSLContext:
        """What new connections are made with."""
        return self._context

    def renew(self) -> bool:
        """Read the files again; False when they are wrong, which is logged."""
        self._seen = self._stamp()
        try:
            self._context, self.expires_at = self._load()
        except ServerError as error:
            log.error("the certificate is kept as it was: %s", error)
            return False
        log.info("certificate read; valid until %s", _day(self.expires_at))
        self._warn()
        return True

    async def keep_fresh(self, every_s: float = LOOK_EVERY_S) -> None:
        """Renew whenever a file has changed, warn daily before the end; runs until it is cancelled."""
        warned_at = self._clock()
        while True:
            await asyncio.sleep(every_s)
            if self._stamp() != self._seen:
                self.renew()
            if self._clock() - warned_at >= timedelta(days=1):
                warned_at = self._clock()
                self._warn()

    def _warn(self) -> None:
        if self.expires_at - self._clock() < WARN_BEFORE:
            log.warning("%s: %s expires on %s; renew it", CERT, self._cert, _day(self.expires_at))

    def _stamp(self) -> tuple[object, ...]:
        """Changes when a file does, or what a link leads to."""
        return tuple(_stamp_of(path) for path in (self._cert, self._key))

    def _load(self) -> tuple[ssl.SSLContext, datetime]:
        chain = _chain(self._cert)
        self._check_dates(chain[0])
        self._check_key(chain[0])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._cert, self._key)
        except (OSError, ValueError) as error:
            raise ServerError(f"{CERT}: {self._cert} cannot serve TLS ({error})") from None
        return context, chain[0].not_valid_after_utc

    def _check_dates(self, leaf: x509.Certificate) -> None:
        now = self._clock()
        if leaf.not_valid_after_utc <= now:
            ended = _day(leaf.not_valid_after_utc)
            raise ServerError(f"{CERT}: {self._cert} expired on {ended}; renew the certificate")
        if leaf.not_valid_before_utc > now:
            begins = _day(leaf.not_valid_before_utc)
            raise ServerError(
                f"{CERT}: {self._cert} is valid from {begins} only; check this machine's clock, or take "
                "another certificate"
            )

    def _check_key(self, leaf: x509.Certificate) -> None:
        try:
            key = load_pem_private_key(_read(self._key, KEY), None)
        except TypeError:
            raise ServerError(
                f"{KEY}: {self._key} is encrypted; store it without a password, readable by this user alone"
            ) from None
        except ValueError:
            raise ServerError(f"{KEY}: {self._key} holds no private key in PEM") from None
        ours, theirs = (
            public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            for public in (key.public_key(), leaf.public_key())
        )
        if ours != theirs:
            raise ServerError(
                f"{KEY}: {self._key} is not the key of the certificate in {self._cert}; "
                "give the two that were made together, the server's own certificate first in its file"
            )


def _chain(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(path, CERT))
    except ValueError:
        raise ServerError(f"{CERT}: {path} holds no certificate in PEM") from None


def _read(path: Path, setting: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES)
    except FileNotFoundError:
        raise ServerError(f"{setting}: there is no file {path}") from None
    except PermissionError:
        raise ServerError(
            f"{setting}: {path} may not be read by this user; give it to the user (or a group) of the server"
        ) from None
    except OSError as error:
        raise ServerError(f"{setting}: {path} cannot be read ({error.strerror})") from None


def _stamp_of(path: Path) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ino, found.st_size


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")
