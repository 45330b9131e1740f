"""Certificates for tests, made while they run by the `openssl` program: no private key is kept here.

`good`, `expired` and `other_name` are signed by a test authority (`ca.pem`), `self_signed` by itself.
"""

import subprocess
from pathlib import Path

_LONG_AGO, _AGO, _AHEAD = "20200101000000Z", "20200102000000Z", "21200101000000Z"
_SIGNED = {
    "good": ("DNS:localhost,IP:127.0.0.1", _AHEAD),
    "expired": ("IP:127.0.0.1", _AGO),
    "other_name": ("DNS:other.example", _AHEAD),
}
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
default_ca = authority
[authority]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any_name
unique_subject = no
[any_name]
commonName = supplied
"""


def make_certificates(directory: Path) -> None:
    """Write `ca.pem` and one file with key and certificate for each of the others."""
    (directory / "openssl.conf").write_text(_CONFIG)
    (directory / "index").write_text("")
    _self_signed(directory, "authority", "basicConstraints=critical,CA:true", "keyUsage=critical,keyCertSign")
    (directory / "ca.pem").write_text((directory / "authority.crt").read_text())
    _self_signed(directory, "self_signed", "subjectAltName=IP:127.0.0.1")
    _join(directory, "self_signed")
    for name, (alternative_names, until) in _SIGNED.items():
        (directory / f"{name}.ext").write_text(
            f"basicConstraints=CA:false\nsubjectAltName={alternative_names}\n"
            "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
        )
        _openssl(directory, "req", *_KEY, *_subject(name), *("-keyout", f"{name}.key", "-out", f"{name}.csr"))
        _openssl(
            directory,
            *("ca", "-batch", "-notext", "-startdate", _LONG_AGO, "-enddate", until),
            *("-cert", "authority.crt", "-keyfile", "authority.key", "-extfile", f"{name}.ext"),
            *("-in", f"{name}.csr", "-out", f"{name}.crt"),
        )
        _join(directory, name)


def _self_signed(directory: Path, name: str, *extensions: str) -> None:
    added = [part for extension in extensions for part in ("-addext", extension)]
    files = ("-keyout", f"{name}.key", "-out", f"{name}.crt")
    _openssl(directory, "req", "-x509", *_KEY, *_subject(name), *added, *files)


def _subject(name: str) -> tuple[str, ...]:
    return ("-subj", f"/CN={name}")


def _join(directory: Path, name: str) -> None:
    parts = [(directory / f"{name}.{kind}").read_text() for kind in ("key", "crt")]
    (directory / f"{name}.pem").write_text("".join(parts))


def _openssl(directory: Path, command: str, *arguments: str) -> None:
    subprocess.run(
        ["openssl", command, "-config", "openssl.conf", *arguments],
        cwd=directory,
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
