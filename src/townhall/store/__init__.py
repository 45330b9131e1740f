"""What Townhall remembers: numbers, lines, calls and their outcome, conferences and who was in them, the
error log.

Nobody else knows SQL: `Store` gives and takes plain records. SQLite is the default, PostgreSQL works by its
URL; the tables are brought up to date when the store is opened. Left out: recordings' sound, sessions of the
web, wrong PINs (the application keeps its own account of them).
"""

from townhall.store.calls import Calls
from townhall.store.conferences import ConferenceLog
from townhall.store.errors import StoreError
from townhall.store.lines import LineChanges, Lines
from townhall.store.notices import Notices
from townhall.store.numbers import NumberChanges, Numbers
from townhall.store.records import (
    CallRecord,
    ConferenceRecord,
    Line,
    NoticeRecord,
    Number,
    ParticipantRecord,
)
from townhall.store.store import Store

__all__ = [
    "CallRecord",
    "Calls",
    "ConferenceLog",
    "ConferenceRecord",
    "Line",
    "LineChanges",
    "Lines",
    "NoticeRecord",
    "Notices",
    "Number",
    "NumberChanges",
    "Numbers",
    "ParticipantRecord",
    "Store",
    "StoreError",
]
