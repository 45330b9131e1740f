"""The store: one open database, and what can be asked of it by subject."""

import sqlalchemy as sa

from townhall.store import recovery, schema
from townhall.store.account import Account
from townhall.store.api_keys import APIKeys
from townhall.store.applications import Applications
from townhall.store.calls import Calls
from townhall.store.conferences import ConferenceLog
from townhall.store.engines import Transactions, connect
from townhall.store.errors import StoreError
from townhall.store.events import Events
from townhall.store.lines import Lines
from townhall.store.notices import Notices
from townhall.store.numbers import Numbers
from townhall.store.outbox import Outbox
from townhall.store.queues import Queues
from townhall.store.readers import Reader
from townhall.store.recordings import Recordings
from townhall.store.trunks import Trunks
from townhall.store.writer import Writer


class Store:
    """Made by `open`; `close` it, or what is queued may not be written."""

    def __init__(self, transactions: Transactions, reader: Reader) -> None:
        self._transactions = transactions
        self._reader = reader
        self._writer = Writer(transactions)
        self.account = Account(reader, self._writer)
        self.numbers = Numbers(reader, self._writer)
        self.lines = Lines(reader, self._writer)
        self.calls = Calls(reader, self._writer)
        self.conferences = ConferenceLog(reader, self._writer)
        self.notices = Notices(reader, self._writer)
        self.recordings = Recordings(reader, self._writer)
        self.queues = Queues(reader, self._writer)
        self.applications = Applications(reader, self._writer)
        self.api_keys = APIKeys(reader, self._writer)
        self.trunks = Trunks(reader, self._writer)
        self.outbox = Outbox(reader, self._writer)
        self.events = Events(reader, self._writer)

    @classmethod
    async def open(cls, url: str, *, takes_calls: bool = False) -> "Store":
        """Open the database, create it if it is missing, and bring its tables up to date.

        `takes_calls`: this process is the server. Calls and conferences that are still open in the database
        are then a crash's leftovers and are closed; anybody else must leave them alone, as the server may be
        running. Raises `StoreError` with the reason when it cannot be used.
        """
        transactions, reader = connect(url)
        try:
            await transactions.run(schema.bring_up_to_date)
            if takes_calls:
                await transactions.run(recovery.close_leftovers)
        except BaseException as error:
            await transactions.close()
            await reader.close()
            if isinstance(error, sa.exc.SQLAlchemyError | OSError):
                shown = sa.make_url(url).render_as_string(hide_password=True)
                raise StoreError(
                    f"cannot use the database {shown}: {getattr(error, 'orig', None) or error}"
                ) from error
            raise
        return cls(transactions, reader)

    async def settled(self) -> None:
        """Wait until what was handed in so far is written: who reads then reads all of it."""
        await self._writer.settled()

    async def close(self) -> None:
        """Write what is queued and close every connection."""
        await self.outbox.settled()
        await self._writer.close()
        await self._transactions.close()
        await self._reader.close()
