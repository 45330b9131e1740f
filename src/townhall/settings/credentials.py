"""The account's own credentials: made once, kept in the data directory, readable by its owner alone."""

import contextlib
import os
import secrets
import tomllib
from pathlib import Path

from townhall.ids import new_sid

FILE_NAME = "credentials.toml"


def kept_credentials(data_dir: Path) -> dict[str, str]:
    """`account_sid` and `auth_token` of this installation; made and stored when there are none yet.

    Two servers that start at the same time end up with the same ones. Raises `OSError`, or `ValueError` when
    the file has been damaged.
    """
    file = data_dir / FILE_NAME
    if not file.exists():
        _store(file)
    try:
        kept = tomllib.loads(file.read_text("utf-8"))
        return {name: str(kept[name]) for name in ("account_sid", "auth_token")}
    except (ValueError, KeyError):
        raise ValueError(f"{file} is damaged; remove it to have new credentials made") from None


def _store(file: Path) -> None:
    """Write new credentials under a name of our own, then link it: the file is whole once it exists."""
    draft = file.with_name(f".{FILE_NAME}.{secrets.token_hex(8)}")
    text = f'account_sid = "{new_sid("AC")}"\nauth_token = "{secrets.token_hex(16)}"\n'
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()
