"""The errors of the SDP room.

TownhallError
└── SDPError           the peer's description cannot be understood
    └── NothingFits    it can, but there is no audio in it that both sides have
"""

from townhall.errors import TownhallError


class SDPError(TownhallError):
    """A session description, or a part of one that is needed, that cannot be understood."""

    status_hint = 488


class NothingFits(SDPError):
    """No audio of an offer can be accepted, or an answer accepts none of ours (SIP: 488)."""
