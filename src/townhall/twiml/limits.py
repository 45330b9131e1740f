"""The limits of running TwiML: Twilio's own where it states them, ours where it leaves the end open."""

DOCUMENT_BYTES = 64 * 1024
"""Largest TwiML document (11750)."""

LOOPS = 1000
"""`loop="0"` means until hang-up, but never more often than this; larger values are cut to it."""

DOCUMENTS_PER_CALL = 5000
"""Ours: a caller who went through this many documents is in an endless loop of redirects."""

DOCUMENT_BURST = 20
"""Ours: so many documents may follow each other without delay …"""

DOCUMENT_SPACING_S = 0.25
"""… then one per this many seconds, so that a redirect loop can't become a flood."""

WAIT_DOCUMENT_SPACING_S = 1.0
"""Least time between two documents of a waiting caller."""

GATHERED_DIGITS = 1000
"""Ours: a `<Gather>` without `numDigits` ends after this many keys."""

NOTICES_PER_DOCUMENT = 50
"""Ours: further faults of one document are counted in the last notice."""

CONFERENCE_PARTICIPANTS = 250
"""Most that `maxParticipants` may ask for, and its default."""

CONFERENCE_NAME = 128
QUEUE_NAME = 64
PARTICIPANT_LABEL = 128
DIAL_TIME_LIMIT_S = 86_400
"""Twilio's 24 hours; the default is 4."""

SAY_TEXT = 4096
"""Characters for the basic voices; see `verbs/say.py` for the others."""
