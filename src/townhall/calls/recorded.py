"""What is to be done with a recording when it has ended, kept beside it, so that a server that starts again
can do it; and what is told of it.
"""

import json
from email.utils import format_datetime
from typing import Any, Literal

import msgspec

from townhall.errors import TownhallError
from townhall.recordings import Finished, RecordingFiles, finish
from townhall.store import RecordingRecord
from townhall.twiml.control import RecordingPlan

TOO_SHORT = 16101
SILENT = 16102
STORAGE_FAILED = 12400
"""Twilio's number for internal trouble: it has none for a disk."""


class SilentError(TownhallError):
    """There is nothing to keep; `code` says why."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{code}: nothing was recorded")
        self.code = code


class Order(msgspec.Struct, frozen=True):
    """How a recording is finished and who is told of it."""

    trim: bool = False
    callback_url: str | None = None
    callback_method: Literal["GET", "POST"] = "POST"
    callback_events: frozenset[str] = frozenset()
    about: dict[str, str] = {}

    @classmethod
    def of(cls, plan: RecordingPlan, about: dict[str, str]) -> "Order":
        callback = plan.callback
        if callback is None:
            return cls(plan.trim_silence, about=about)
        return cls(plan.trim_silence, callback.url, callback.method, callback.events, about)


def write_order(files: RecordingFiles, order: Order) -> None:
    """Raises `OSError`."""
    files.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.order.touch(mode=0o600)
    files.order.write_bytes(msgspec.json.encode(order))


def read_order(files: RecordingFiles) -> Order:
    """The order, or none in particular where it can't be read."""
    try:
        return msgspec.json.decode(files.order.read_bytes(), type=Order)
    except (OSError, msgspec.DecodeError):
        return Order()


def note_talker(files: RecordingFiles, entry: dict[str, Any]) -> None:
    """Write down who is in a talker's file. Raises `OSError`."""
    files.talkers.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.names.touch(mode=0o600)
    with files.names.open("a") as names:
        names.write(json.dumps(entry, ensure_ascii=False) + "\n")


def finish_order(files: RecordingFiles, order: Order, discarded: bool) -> Finished:
    """Make the recording; raises `SilentError` when there is nothing, `RecordingFileError` and `OSError`."""
    if discarded:
        files.remove()
        raise SilentError(SILENT)
    done = finish(files, trim=order.trim, about=dict(order.about))
    if not done.samples:
        raise SilentError(SILENT if done.silent else TOO_SHORT)
    return done


def recording_parameters(record: RecordingRecord, url: str, event: str) -> tuple[tuple[str, str], ...]:
    """The parameters of a recording's status callback, as Twilio's pages list them."""
    subject = (
        ("ConferenceSid", record.conference_sid) if record.conference_sid else ("CallSid", record.call_sid)
    )
    parameters = [
        ("AccountSid", record.account_sid),
        (subject[0], subject[1] or ""),
        ("RecordingSid", record.sid),
        ("RecordingUrl", url),
        ("RecordingStatus", event),
    ]
    if event in ("completed", "absent"):
        parameters.append(("RecordingDuration", str(record.duration_s or 0)))
    parameters.append(("RecordingChannels", str(record.channels)))
    if record.start_time is not None:
        parameters.append(("RecordingStartTime", format_datetime(record.start_time)))
    parameters.append(("RecordingSource", record.source))
    if record.conference_sid is None:
        parameters.append(("RecordingTrack", record.track))
    if record.error_code is not None:
        parameters.append(("ErrorCode", str(record.error_code)))
    return tuple(parameters)
