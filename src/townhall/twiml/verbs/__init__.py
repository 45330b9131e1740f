"""The verbs, one file each: its attribute table, how it is read from the document, and what it does to the
call.
"""

from collections.abc import Callable

from lxml import etree

from townhall.twiml.limits import CONFERENCE_PARTICIPANTS
from townhall.twiml.notices import NoticeBook
from townhall.twiml.scene import Verb
from townhall.twiml.verbs.dial import parse_dial
from townhall.twiml.verbs.enqueue import parse_enqueue
from townhall.twiml.verbs.gather import parse_gather
from townhall.twiml.verbs.hangup import parse_hangup
from townhall.twiml.verbs.leave import parse_leave
from townhall.twiml.verbs.pause import parse_pause
from townhall.twiml.verbs.play import parse_play
from townhall.twiml.verbs.record import parse_record
from townhall.twiml.verbs.redirect import parse_redirect
from townhall.twiml.verbs.reject import parse_reject
from townhall.twiml.verbs.say import parse_say

NOT_YET = frozenset(
    {
        "Start", "Stop", "Connect", "Pay", "Prompt", "Refer", "Echo", "Sms",
        "Message", "Annotate", "Queue",
    }
)  # fmt: skip

_PARSERS: dict[str, Callable[[etree._Element, NoticeBook], Verb]] = {
    "Enqueue": parse_enqueue,
    "Gather": parse_gather,
    "Hangup": parse_hangup,
    "Leave": parse_leave,
    "Pause": parse_pause,
    "Play": parse_play,
    "Record": parse_record,
    "Redirect": parse_redirect,
    "Reject": parse_reject,
    "Say": parse_say,
}


def parse_verb(
    element: etree._Element, notices: NoticeBook, participants_limit: int = CONFERENCE_PARTICIPANTS
) -> Verb | None:
    """The element as a verb, or None with a notice (12200) when there is no such verb."""
    if not isinstance(element.tag, str):  # an entity reference that nothing resolves
        notices.warn(12200, f"expected a verb, read {element.text}; skipped")
        return None
    if element.tag == "Dial":
        return parse_dial(element, notices, participants_limit)
    parse = _PARSERS.get(element.tag)
    if parse is not None:
        return parse(element, notices)
    reason = "is not supported yet" if element.tag in NOT_YET else "is not a verb of TwiML voice"
    notices.warn(12200, f"<{element.tag}> {reason}; skipped")
    return None
