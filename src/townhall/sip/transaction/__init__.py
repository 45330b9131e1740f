"""The four transaction machines of RFC 3261 section 17, with RFC 6026, as tables.

Left out: matching and creation, which are `townhall.sip.layer`'s.
"""

from townhall.sip.transaction.companions import ack_for_failure, cancel_for
from townhall.sip.transaction.invite_client import InviteClientTransaction
from townhall.sip.transaction.invite_server import InviteServerTransaction
from townhall.sip.transaction.machine import (
    ClientTransaction,
    ClientUser,
    LocalProtocolError,
    ServerTransaction,
    ServerUser,
    State,
    Transaction,
)
from townhall.sip.transaction.non_invite_client import NonInviteClientTransaction
from townhall.sip.transaction.non_invite_server import NonInviteServerTransaction
from townhall.sip.transaction.timers import Timer, TimerQueue, TimerValues

__all__ = [
    "ClientTransaction",
    "ClientUser",
    "InviteClientTransaction",
    "InviteServerTransaction",
    "LocalProtocolError",
    "NonInviteClientTransaction",
    "NonInviteServerTransaction",
    "ServerTransaction",
    "ServerUser",
    "State",
    "Timer",
    "TimerQueue",
    "TimerValues",
    "Transaction",
    "ack_for_failure",
    "cancel_for",
]
