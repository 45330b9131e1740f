"""What Townhall remembers: numbers, lines, applications, queues, keys and trunks; calls and their outcome,
conferences and who was in them, recordings, the error log, and callbacks that are yet to be delivered.

Nobody else knows SQL: `Store` gives and takes plain records. SQLite is the default, PostgreSQL works by its
URL; the tables are brought up to date when the store is opened. Left out: recordings' sound, sessions of the
web, wrong PINs (the application keeps its own account of them).
"""

from townhall.store.account import Account, AccountRecord
from townhall.store.api_keys import APIKeyChanges, APIKeys
from townhall.store.applications import ApplicationChanges, Applications
from townhall.store.calls import CallFilter, Calls
from townhall.store.conferences import ConferenceFilter, ConferenceLog
from townhall.store.errors import DuplicateError, PageTokenError, StoreError, UnknownRecordError
from townhall.store.lines import LineChanges, Lines
from townhall.store.notices import NoticeFilter, Notices
from townhall.store.numbers import NumberChanges, Numbers
from townhall.store.paging import Page
from townhall.store.queues import QueueChanges, Queues
from townhall.store.recordings import RecordingChanges, Recordings
from townhall.store.records import (
    CallRecord,
    ConferenceRecord,
    EventRecord,
    Line,
    NoticeRecord,
    Number,
    OutboxRecord,
    ParticipantRecord,
    RecordingRecord,
)
from townhall.store.resources import APIKey, Application, PrefixRule, QueueRecord, Trunk
from townhall.store.store import Store
from townhall.store.trunks import TrunkChanges, Trunks

__all__ = [
    "APIKey",
    "APIKeyChanges",
    "APIKeys",
    "Account",
    "AccountRecord",
    "Application",
    "ApplicationChanges",
    "Applications",
    "CallFilter",
    "CallRecord",
    "Calls",
    "ConferenceFilter",
    "ConferenceLog",
    "ConferenceRecord",
    "DuplicateError",
    "EventRecord",
    "Line",
    "LineChanges",
    "Lines",
    "NoticeFilter",
    "NoticeRecord",
    "Notices",
    "Number",
    "NumberChanges",
    "Numbers",
    "OutboxRecord",
    "Page",
    "PageTokenError",
    "ParticipantRecord",
    "PrefixRule",
    "QueueChanges",
    "QueueRecord",
    "Queues",
    "RecordingChanges",
    "RecordingRecord",
    "Recordings",
    "Store",
    "StoreError",
    "Trunk",
    "TrunkChanges",
    "Trunks",
    "UnknownRecordError",
]
