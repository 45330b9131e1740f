"""The how-to of the private authority: its commands, as they stand, give a certificate that serves."""

import re
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from tests.harness.server import TownhallServer, own_address

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "https-private-ca.md").read_text("utf-8")
AUTHORITY, CERTIFICATE, FINGERPRINT = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
NAME, ADDRESS = "townhall.lan", "192.168.1.20"


def run(commands: str, home: Path, address: str) -> str:
    """Run a block of the page as a person at `home` would, for a server at this address."""
    done = subprocess.run(
        ["sh", "-e", "-c", commands.replace(ADDRESS, address)],
        cwd=home / "townhall-ca" if (home / "townhall-ca").exists() else home,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shown(server: TownhallServer, authority: Path, name: str) -> bytes:
    """What somebody who trusts this authority is shown; raises `ssl.SSLError` for a bad certificate."""
    context = ssl.create_default_context(cafile=authority)
    with (
        socket.create_connection((server.address, server.http_port)) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        certificate = secure.getpeercert(binary_form=True)
    assert certificate
    return certificate


def test_commands_make_a_certificate_that_is_trusted_and_renewed(tmp_path: Path) -> None:
    home, address = tmp_path / "home", own_address()
    home.mkdir()
    run(AUTHORITY, home, address)
    assert "tls.crt: OK" in run(CERTIFICATE, home, address)
    made = home / "townhall-ca"
    assert re.search(r"(?i)sha256 fingerprint=([0-9A-F]{2}:){31}", run(FINGERPRINT, home, address))
    assert {path.stat().st_mode & 0o777 for path in (made / "ca.key", made / "tls.key")} == {0o600}
    data = tmp_path / "data"
    data.mkdir()
    files = {"tls_cert": str(made / "tls.crt"), "tls_key": str(made / "tls.key")}
    server = TownhallServer(data, address=address, **files)
    server.authority = made / "ca.crt"
    with server:
        first = shown(server, made / "ca.crt", NAME)
        assert shown(server, made / "ca.crt", address) == first
        with pytest.raises(ssl.SSLCertVerificationError):
            shown(server, made / "ca.crt", "elsewhere.lan")
        run(CERTIFICATE, home, address)
        server.signal(signal.SIGHUP)
        server.wait_for_log("certificate read")
        assert shown(server, made / "ca.crt", NAME) != first


def test_authority_cannot_sign_for_other_names(tmp_path: Path) -> None:
    run(AUTHORITY, tmp_path, "127.0.0.1")
    with pytest.raises(AssertionError, match="permitted subtree violation"):
        run(CERTIFICATE.replace(NAME, "bank.example"), tmp_path, "127.0.0.1")
