"""Lists and their pages: Twilio's envelope around exactly one list.

`PageToken` steers and is the store's, or for what lives in memory `PA` and the SID of the last row of the
page before (`PB`: the first row of the page after). `Page` only numbers the pages; it is refused without a
token, as Twilio gave up counting pages too, and a client that counts would read the first page for ever.
Filters are repeated in every URI.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from starlette.responses import Response

from townhall.api.errors import APIError
from townhall.api.params import Parameters, quoted
from townhall.api.render import Resource, answer
from townhall.store import Page

T = TypeVar("T")

DEFAULT_SIZE = 50
LARGEST_SIZE = 1000
MOST_PAGES = 1_000_000_000
_TOKEN = re.compile(r"(PA|PB)([A-Z]{2}[0-9a-f]{32}|\d{1,12})", re.ASCII)
_NUMBER = re.compile(r"\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is asked for; without a token the first."""

    size: int = DEFAULT_SIZE
    number: int = 0
    token: str | None = None


def page_request(query: Parameters) -> PageRequest:
    """Raises `APIError` 20007 for a PageSize that is too large and 21481 for a page without a token."""
    size = query.raw("PageSize")
    if size and _NUMBER.fullmatch(size) and (len(size) > 9 or int(size) > LARGEST_SIZE):
        raise APIError(20007, f"PageSize is {quoted(size)}; send 1 to {LARGEST_SIZE}")
    chosen = query.number("PageSize", 1, LARGEST_SIZE) or DEFAULT_SIZE
    number = query.number("Page", 0, MOST_PAGES) or 0
    token = query.raw("PageToken")
    if number and not token:
        raise APIError(
            21481, "Page was sent without PageToken; follow next_page_uri, which has both, from page 0 on"
        )
    return PageRequest(chosen, number, token or None)


def bad_token(token: str) -> APIError:
    return APIError(21481, f"PageToken is {quoted(token)}; use the one of next_page_uri, unchanged")


def cut(rows: Sequence[T], key: Callable[[T], str], asked: PageRequest) -> Page[T]:
    """The page of a list that is whole in memory; `key` is a SID, or a number, that no other row has.

    A row that has gone since the last page (a participant who left) is no error: the page's number says where
    to go on.
    """
    first = 0
    if asked.token is not None:
        match = _TOKEN.fullmatch(asked.token)
        if match is None:
            raise bad_token(asked.token)
        at = next((index for index, row in enumerate(rows) if key(row) == match[2]), None)
        if at is None:
            first = asked.number * asked.size
        else:
            first = at + 1 if match[1] == "PA" else max(0, at - asked.size)
    chosen = rows[first : first + asked.size]
    return Page(
        list(chosen),
        f"PA{key(chosen[-1])}" if chosen and first + asked.size < len(rows) else None,
        f"PB{key(chosen[0])}" if chosen and first else None,
    )


def listing(
    name: str,
    page: Page[T],
    asked: PageRequest,
    *,
    uri: str,
    query: Parameters,
    filters: Collection[str],
    render: Callable[[T], Resource],
) -> Response:
    """The answer: the rows under `name`, and the envelope. `uri` is the list's own, without a query."""
    kept = query.pairs(filters)

    def at(number: int, token: str | None = None) -> str:
        more = [("PageSize", str(asked.size)), ("Page", str(number))]
        return f"{uri}?{urlencode([*kept, *more, *([('PageToken', token)] if token else [])])}"

    rows = [render(row) for row in page.records]
    start = asked.number * asked.size if rows else 0
    return answer(
        {
            name: rows,
            "page": asked.number,
            "page_size": asked.size,
            "start": start,
            "end": start + len(rows) - 1 if rows else 0,
            "uri": at(asked.number, asked.token),
            "first_page_uri": at(0),
            "next_page_uri": at(asked.number + 1, page.next_token) if page.next_token else None,
            "previous_page_uri": (
                at(max(0, asked.number - 1), page.previous_token) if page.previous_token else None
            ),
        }
    )
