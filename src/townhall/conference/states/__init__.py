"""The named states of a conference, one file each, all of the same shape.

`empty` and `waiting` are Twilio's `init`; `in_progress` and `completed` carry Twilio's names. `base` lists
the events that every state must decide; `steps` holds what several of them do. Each file ends with its
`RULES`, the rows of the table in `docs/explanation/conference.md`.
"""

from townhall.conference.states.base import Name, Rule, State, Status
from townhall.conference.states.completed import COMPLETED
from townhall.conference.states.empty import EMPTY
from townhall.conference.states.in_progress import IN_PROGRESS
from townhall.conference.states.waiting import WAITING

STATES: tuple[State, ...] = (EMPTY, WAITING, IN_PROGRESS, COMPLETED)

__all__ = ["COMPLETED", "EMPTY", "IN_PROGRESS", "STATES", "WAITING", "Name", "Rule", "State", "Status"]
