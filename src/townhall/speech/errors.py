"""What can go wrong when words are to be spoken."""

from townhall.errors import TownhallError


class SpeechUnavailable(TownhallError):
    """These words cannot be spoken now; the message says why and what the operator can do."""


class EngineFailed(TownhallError):
    """One engine failed at one request; another may do."""


class EngineMissing(EngineFailed):
    """The engine isn't installed: there is no use in asking it again."""
