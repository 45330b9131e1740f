"""The account's own credentials: made once, kept in the data directory, readable by its owner alone."""

import base64
import contextlib
import os
import secrets
import tomllib
from pathlib import Path

from townhall.ids import new_sid

FILE_NAME = "credentials.toml"
KEPT = ("account_sid", "auth_token", "operator_password")


def kept_credentials(data_dir: Path) -> dict[str, str]:
    """The credentials of this installation (`KEPT`); made and stored when there are none yet.

    Two servers that start at the same time end up with the same ones. A file of before there was an
    operator's password gets one added. Raises `OSError`, or `ValueError` when the file has been damaged.
    """
    file = data_dir / FILE_NAME
    if not file.exists():
        _store(
            file, f'account_sid = "{new_sid("AC")}"\nauth_token = "{secrets.token_hex(16)}"\n' + _password()
        )
    try:
        text = file.read_text("utf-8")
        if "operator_password" not in tomllib.loads(text):
            _store(file, text.rstrip("\n") + "\n" + _password(), instead=True)
            text = file.read_text("utf-8")
        kept = tomllib.loads(text)
        return {name: str(kept[name]) for name in KEPT}
    except (ValueError, KeyError):
        raise ValueError(f"{file} is damaged; remove it to have new credentials made") from None


def _password() -> str:
    """80 random bits that can be read out and typed: `k3fq-7m2x-ab5d-q6rt`."""
    letters = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return f'operator_password = "{"-".join(letters[at : at + 4] for at in range(0, 16, 4))}"\n'


def _store(file: Path, text: str, *, instead: bool = False) -> None:
    """Write under a name of our own, then link it: the file is whole once it exists. `instead`: of one that
    is there.
    """
    draft = file.with_name(f".{FILE_NAME}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if instead:
            os.replace(draft, file)
        else:
            with contextlib.suppress(FileExistsError):
                os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)
