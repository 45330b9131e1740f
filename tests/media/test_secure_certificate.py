"""Our certificate: made once, for its owner only, and never taken from a file that is none."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from townhall.media.secure import CertificateError, certificate_at, new_certificate


def pem_of(key: object) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_certificate_is_made_once_and_found_again(tmp_path: Path) -> None:
    file = tmp_path / "dtls.pem"
    made = certificate_at(file)
    assert certificate_at(file).fingerprint == made.fingerprint
    assert made.fingerprint.startswith("sha-256 ")
    assert len(made.fingerprint.split(":")) == 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_file_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "dtls.pem"
    certificate_at(file)
    file.chmod(0o644)
    certificate_at(file)
    assert file.stat().st_mode & 0o777 == 0o600


def test_every_install_has_its_own() -> None:
    assert new_certificate().fingerprint != new_certificate().fingerprint


def test_key_is_in_no_representation() -> None:
    assert "key" not in repr(new_certificate())


@pytest.mark.parametrize("fault", ["rubbish", "empty", "another key", "rsa"])
def test_file_that_is_no_pair_is_refused_with_advice(tmp_path: Path, fault: str) -> None:
    file = tmp_path / "dtls.pem"
    made = certificate_at(file)
    certificate = made.certificate.public_bytes(serialization.Encoding.PEM)
    key = rsa.generate_private_key(65537, 2048) if fault == "rsa" else ec.generate_private_key(ec.SECP256R1())
    text = {"rubbish": b"rubbish", "empty": b""}.get(fault, pem_of(key) + certificate)
    file.write_bytes(text)
    with pytest.raises(CertificateError, match="delete it"):
        certificate_at(file)


def test_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="No such file"):
        certificate_at(tmp_path / "nowhere" / "dtls.pem")
