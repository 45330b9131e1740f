"""TwiML: documents are parsed into typed verbs, and the verbs run as coroutines against a `CallControl`.

Follows Twilio's pages on TwiML voice, its error dictionary, and the rules that this project settled where
those are silent (see `docs/reference/twiml.md`). Fetching, speaking, media and conferences are behind
`CallControl`: this room opens no socket and reads no file; asyncio is used for waiting only.

Left out: Start, Stop, Connect, Pay, Refer, Echo and Sms are recognised, reported (12200) and
skipped; machine detection is ignored; speech recognition behaves
as no input.
"""

from townhall.twiml.control import (
    CallCallbacks,
    CallControl,
    CallEnded,
    CallRedirected,
    ConferenceCallbacks,
    ConferenceDial,
    ConferenceOutcome,
    DialOutcome,
    DocumentRequest,
    EnqueueOutcome,
    EnqueuePlan,
    FetchFailed,
    Notice,
    Page,
    QueueTarget,
    RecordingPlan,
    RecordOutcome,
    RecordPlan,
    Utterance,
)
from townhall.twiml.document import Document, DocumentError, parse_document
from townhall.twiml.interpreter import InlineDocument, run_call
from townhall.twiml.queue_wait import QueueWait
from townhall.twiml.wait import check_wait_page, run_wait_document

__all__ = [
    "CallCallbacks",
    "CallControl",
    "CallEnded",
    "CallRedirected",
    "ConferenceCallbacks",
    "ConferenceDial",
    "ConferenceOutcome",
    "DialOutcome",
    "Document",
    "DocumentError",
    "DocumentRequest",
    "EnqueueOutcome",
    "EnqueuePlan",
    "FetchFailed",
    "InlineDocument",
    "Notice",
    "Page",
    "QueueTarget",
    "QueueWait",
    "RecordOutcome",
    "RecordPlan",
    "RecordingPlan",
    "Utterance",
    "check_wait_page",
    "parse_document",
    "run_call",
    "run_wait_document",
]
