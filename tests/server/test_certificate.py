"""The certificate's files: what is refused and in which words, and how a running server gets new ones."""

import asyncio
import logging
import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.harness.certificates import make_certificates

from townhall.server.certificate import Certificate
from townhall.server.network import ServerError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certificates")
    make_certificates(directory)
    return directory


@pytest.fixture
def here(made: Path, tmp_path: Path) -> Path:
    """A directory of the test's own with `cert` and `key`, which it may change."""
    put(made, "good", tmp_path)
    return tmp_path


def put(made: Path, name: str, directory: Path) -> None:
    for kind, file in (("crt", "cert"), ("key", "key")):
        shutil.copy(made / f"{name}.{kind}", directory / f"{file}.new")
        (directory / f"{file}.new").rename(directory / file)


def served(context: ssl.SSLContext) -> bytes:
    """The certificate that a client of this context is shown."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(to_client, to_server), context.wrap_bio(to_server, to_client, server_side=True)]
    while ends:
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
                if not end.server_side:
                    shown = end.getpeercert(binary_form=True)
            except ssl.SSLWantReadError:
                pass
    assert shown
    return shown


def der(pem: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.read_text())


def test_good_certificate_is_served(here: Path) -> None:
    certificate = Certificate(here / "cert", here / "key")
    assert served(certificate.context()) == der(here / "cert")
    assert certificate.context().minimum_version == ssl.TLSVersion.TLSv1_2


def test_key_and_certificate_may_be_one_file(made: Path) -> None:
    assert Certificate(made / "good.pem", made / "good.pem").context()


@pytest.mark.parametrize(
    ("cert", "key", "said"),
    [
        ("missing.crt", "good.key", r"TOWNHALL_TLS_CERT: there is no file .*missing\.crt"),
        ("good.crt", "missing.key", r"TOWNHALL_TLS_KEY: there is no file .*missing\.key"),
        ("good.key", "good.key", r"TOWNHALL_TLS_CERT: .*good\.key holds no certificate in PEM"),
        ("good.crt", "good.crt", r"TOWNHALL_TLS_KEY: .*good\.crt holds no private key in PEM"),
        ("good.crt", "other_name.key", r"TOWNHALL_TLS_KEY: .*other_name\.key is not the key of .*good\.crt"),
        ("expired.crt", "expired.key", r"TOWNHALL_TLS_CERT: .*expired\.crt expired on 2020-01-02 .*renew"),
        (".", "good.key", r"TOWNHALL_TLS_CERT: .* cannot be read \(Is a directory\)"),
    ],
)
def test_bad_files_are_refused(made: Path, cert: str, key: str, said: str) -> None:
    with pytest.raises(ServerError, match=said):
        Certificate(made / cert, made / key)


def test_encrypted_key_is_refused(here: Path) -> None:
    subprocess.run(
        ["openssl", "ec", "-in", "key", "-out", "locked", "-aes256", "-passout", "pass:hush"],
        cwd=here,
        check=True,
        capture_output=True,
    )
    with pytest.raises(ServerError, match=r"TOWNHALL_TLS_KEY: .*locked is encrypted; store it without"):
        Certificate(here / "cert", here / "locked")


def test_certificate_of_the_future_is_refused(here: Path) -> None:
    with pytest.raises(ServerError, match="valid from 2020-01-01 00:00 UTC only; check this machine's clock"):
        Certificate(here / "cert", here / "key", lambda: datetime(2019, 5, 1, tzinfo=UTC))


def test_file_of_another_user_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def guarded(path: Path, *arguments: str) -> object:
        if path.name == "key":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments)

    monkeypatch.setattr(Path, "open", guarded)
    with pytest.raises(ServerError, match=r"TOWNHALL_TLS_KEY: .*key may not be read by this user"):
        Certificate(here / "cert", here / "key")


async def test_changed_files_are_read_again(made: Path, here: Path) -> None:
    certificate = Certificate(here / "cert", here / "key")
    first = certificate.context()
    keeping = asyncio.create_task(certificate.keep_fresh(every_s=0.01))
    put(made, "self_signed", here)
    async with asyncio.timeout(30):
        while certificate.context() is first:  # noqa: ASYNC110  (it tells nobody)
            await asyncio.sleep(0.01)
    keeping.cancel()
    assert served(certificate.context()) == der(made / "self_signed.crt")


@pytest.mark.parametrize("name", ["expired", "half", "gone"])
def test_running_server_keeps_its_certificate_when_the_new_one_is_bad(
    made: Path, here: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = Certificate(here / "cert", here / "key")
    if name == "expired":
        put(made, "expired", here)
    elif name == "half":
        shutil.copy(made / "self_signed.crt", here / "cert")
    else:
        (here / "cert").unlink()
    assert not certificate.renew()
    assert served(certificate.context()) == der(made / "good.crt")
    assert "the certificate is kept as it was: TOWNHALL_TLS_" in caplog.text
    put(made, "other_name", here)
    assert certificate.renew()
    assert served(certificate.context()) == der(made / "other_name.crt")


@pytest.mark.parametrize(("before", "warned"), [(timedelta(days=8), False), (timedelta(days=6), True)])
def test_end_is_announced_a_week_before(
    here: Path, before: timedelta, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    end = Certificate(here / "cert", here / "key").expires_at
    with caplog.at_level(logging.WARNING):
        Certificate(here / "cert", here / "key", lambda: end - before)
    assert ("expires on 2120-01-01" in caplog.text) == warned
