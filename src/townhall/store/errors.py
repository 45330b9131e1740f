"""The store's errors: what was asked for and why it cannot be, in words for the operator."""

from townhall.errors import TownhallError


class StoreError(TownhallError):
    """A record cannot be read or written: a bad value, a duplicate, an unknown number, or the database
    failed.
    """


class DatabaseBusyError(StoreError):
    """Another process holds the database's write lock for too long."""


class UnknownRecordError(StoreError):
    """There is no such record (any more)."""


class DuplicateError(StoreError):
    """A name or number that must be unique is taken."""


class PageTokenError(StoreError):
    """A page token that no list gave out (Twilio's 21481)."""
