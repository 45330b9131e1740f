"""The certificate that browsers know us by in DTLS: self-signed, ECDSA on P-256, made once per install.

Nobody checks its name or dates; its fingerprint is in every offer and answer (RFC 8122, RFC 8827 section
6.5). Keeping it spares a key generation at each start and lets an operator see one fingerprint in traces.
"""

import datetime
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from townhall.errors import TownhallError

LIFETIME = datetime.timedelta(days=3650)
MOST_BYTES = 1 << 16


class CertificateError(TownhallError):
    """The file with our DTLS certificate cannot be used, or cannot be made."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A key and its certificate."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> str:
        """As in `a=fingerprint`: `sha-256 AB:CD:…`."""
        return "sha-256 " + self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def new_certificate() -> Certificate:
    """A fresh one, in memory. Its name says nothing about the machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "WebRTC")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # browsers' clocks go wrong
        .not_valid_after(now + LIFETIME)
        .sign(key, hashes.SHA256())
    )
    return Certificate(key, certificate)


def certificate_at(path: Path) -> Certificate:
    """The one in the file, which is made when there is none: key and certificate as PEM, for its owner only.

    Raises `CertificateError`.
    """
    try:
        text = _read(path)
        if text is None:
            _write(path, new_certificate())
            text = _read(path)
    except OSError as error:
        raise CertificateError(f"DTLS certificate {path}: {error.strerror}") from None
    try:
        key = serialization.load_pem_private_key(text or b"", None)
        certificate = x509.load_pem_x509_certificate(text or b"")
    except ValueError:
        raise CertificateError(_advice(path, "is no key and certificate as PEM")) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise CertificateError(
            _advice(path, "has no elliptic-curve key, or one that is not its certificate's")
        )
    return Certificate(key, certificate)


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                os.fchmod(file.fileno(), 0o600)
            return file.read(MOST_BYTES)
    except FileNotFoundError:
        return None


def _write(path: Path, made: Certificate) -> None:
    """Whole or not at all: of two processes that start at once, each finds one certificate or the other."""
    text = made.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    text += made.certificate.public_bytes(serialization.Encoding.PEM)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def _advice(path: Path, fault: str) -> str:
    return f"DTLS certificate {path} {fault}; delete it, and a new one is made at the next start"
