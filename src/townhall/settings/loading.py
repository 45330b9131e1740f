"""Where the settings come from, and what is said when one is wrong."""

import difflib
import os
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from townhall.errors import TownhallError
from townhall.settings import values
from townhall.settings.credentials import KEPT, kept_credentials
from townhall.settings.model import Settings

PREFIX = "TOWNHALL_"
FILE_NAME = "townhall.toml"


class SettingsError(TownhallError):
    """A setting is wrong; the message is one line for the person who made it."""


def load_settings(environment: Mapping[str, str] | None = None, working_dir: Path | None = None) -> Settings:
    """Read, check and complete the settings.

    `environment`: default the process's own. `working_dir`: where `townhall.toml` is looked for first,
    default the current directory. Makes the data directory and its credentials when they are missing. Raises
    `SettingsError`.
    """
    env = os.environ if environment is None else environment
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in env.items()
        if name.startswith(PREFIX) and name != f"{PREFIX}CONFIG"
    }
    for name in given:
        _refuse_unknown(name, lambda text: PREFIX + text.upper())
    given = {name: value for name, value in given.items() if value.strip()}
    data_dir = given.get("data_dir") or _default_data_dir(env)
    file = _find_file(env, working_dir or Path.cwd(), Path(data_dir).expanduser())
    from_file = _read_file(file) if file else {}
    read: dict[str, Any] = {"data_dir": data_dir} | from_file | given
    _complete(read)
    try:
        return Settings.model_validate(read)
    except ValidationError as error:
        raise SettingsError(_in_one_line(error, set(given), file)) from None


def _default_data_dir(env: Mapping[str, str]) -> str:
    shared = env.get("XDG_DATA_HOME") or str(Path(env.get("HOME") or "~").expanduser() / ".local" / "share")
    return f"{shared}/townhall"


def _find_file(env: Mapping[str, str], working_dir: Path, data_dir: Path) -> Path | None:
    if named := env.get(f"{PREFIX}CONFIG"):
        return Path(named).expanduser()
    return next((file for place in (working_dir, data_dir) if (file := place / FILE_NAME).is_file()), None)


def _read_file(file: Path) -> dict[str, Any]:
    try:
        read = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{PREFIX}CONFIG: cannot read {file} ({error.strerror})") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise SettingsError(f"{file}: not a TOML file ({error})") from None
    for name in read:
        _refuse_unknown(name, lambda text: f"{text} in {file}")
    return read


def _refuse_unknown(name: str, shown: Callable[[str], str]) -> None:
    if name in Settings.model_fields:
        return
    nearest = difflib.get_close_matches(name, Settings.model_fields, n=1, cutoff=0.5)
    hint = (
        f"did you mean {shown(nearest[0])}?"
        if nearest
        else "docs/reference/settings.md lists those there are"
    )
    raise SettingsError(f"{shown(name)}: there is no such setting; {hint}")


def _complete(read: dict[str, Any]) -> None:
    """Fill in what follows from other settings or is kept in files of its own."""
    try:
        data_dir = values.path(read["data_dir"])
    except ValueError:
        raise SettingsError(f"data_dir: read {read['data_dir']!r}; allowed is a path") from None
    read.setdefault("database_url", f"sqlite+aiosqlite:///{data_dir / 'townhall.db'}")
    voice_python = Path(sys.prefix).parent / ".venv-voice" / "bin" / "python"
    if "voice_python" not in read and voice_python.exists():
        read["voice_python"] = str(voice_python)
    if "sip_users_file" in read:
        read["sip_users"] = _users_from_file(read)
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(name not in read for name in KEPT):
            read.update(kept_credentials(data_dir) | read)
    except (OSError, ValueError) as error:
        raise SettingsError(f"data_dir: cannot keep anything in {data_dir} ({error})") from None


def _users_from_file(read: Mapping[str, Any]) -> str:
    if "sip_users" in read:
        raise SettingsError("sip_users: read together with sip_users_file; allowed is one of the two")
    try:
        return values.path(read["sip_users_file"]).read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise SettingsError(f"sip_users_file: cannot read {read['sip_users_file']!r} ({reason})") from None


_SECRET = {"auth_token", "operator_password", "sip_users", "database_url"}
_ALLOWED = {
    "http_port": "a port from 0 to 65535 (0: any free one)",
    "sip_port": "a port from 0 to 65535 (0: any free one)",
    "auto_gain": "true or false",
    "noise_suppression": "true or false",
    "speech_pause_ms": "a whole number of milliseconds from 100 to 10000",
    "hold_music_s": "a number of seconds from 0 (never) to 3600",
    "loudest_talkers": "a whole number from 0 (all) to 100000",
    "media_silence_s": "a number of seconds from 0 (never) to 86400",
    "api_requests_per_second": "a number from 0 (any number) to 100000",
    "max_calls": "a whole number from 1 to 100000",
    "log_level": "debug, info, warning or error",
    "log_format": "text or json",
}


def _in_one_line(error: ValidationError, from_environment: set[str], file: Path | None) -> str:
    """The first fault as `NAME: read …; allowed is …`."""
    fault = error.errors(include_url=False)[0]
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["loc"]:
        name, read = str(fault["loc"][0]), repr(fault["input"])
        allowed = _ALLOWED.get(name, message)
    else:  # a fault of several settings
        name, read, allowed = message.split("\n")
    if name in _SECRET:
        read = "a value not shown here"
    elif len(read) > 80:
        read = f"{read[:80]}…"
    shown = PREFIX + name.upper() if name in from_environment else f"{name} in {file}" if file else name
    return f"{shown}: read {read}; allowed is {allowed}"
