"""Where a call of ours may go, and by which way: the rules, without any I/O.

`read_destination` says what a `To` means; `CallPermissions` which numbers may be called at all
(premium and emergency numbers, calls a minute: toll fraud is what an open telephone server is found for);
`choose_trunks` by which trunks a number goes, in which order; `outcome_of` and `try_another_way` what a SIP
status makes of a call. What it leaves out: names and addresses (`calls.destinations`), and the calls
themselves.
"""

from townhall.routing.destination import (
    ClientDestination,
    Destination,
    NumberDestination,
    PhoneDestination,
    SipDestination,
    read_destination,
)
from townhall.routing.errors import CallRefused
from townhall.routing.outcomes import Outcome, outcome_of, try_another_way
from townhall.routing.permissions import CallPermissions, PermissionSettings
from townhall.routing.trunks import Passage, TrunkRules, choose_trunks, why_no_trunk

__all__ = [
    "CallPermissions",
    "CallRefused",
    "ClientDestination",
    "Destination",
    "NumberDestination",
    "Outcome",
    "Passage",
    "PermissionSettings",
    "PhoneDestination",
    "SipDestination",
    "TrunkRules",
    "choose_trunks",
    "outcome_of",
    "read_destination",
    "try_another_way",
    "why_no_trunk",
]
