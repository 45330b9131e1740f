"""The cookies of one call: kept and sent back as a browser does, never shared between calls."""

import httpx2

MOST_COOKIES = 50
LONGEST_COOKIE = 4096


class Cookies:
    """A call's jar. Bounded: a server that sets more than 50 cookies loses the oldest answers' ones."""

    def __init__(self) -> None:
        self._jar: httpx2.Cookies | None = None

    def add_to(self, request: httpx2.Request) -> None:
        """Set the request's Cookie header, if any cookie belongs to its URL."""
        if self._jar is not None:
            self._jar.set_cookie_header(request)

    def take_from(self, response: httpx2.Response) -> None:
        """Keep what the response sets; `response.request` must be there."""
        set_cookies = response.headers.get_list("set-cookie")
        if not set_cookies or any(len(value) > LONGEST_COOKIE for value in set_cookies):
            return
        if self._jar is None or len(self._jar.jar) + len(set_cookies) > MOST_COOKIES:
            self._jar = httpx2.Cookies()
        if len(set_cookies) <= MOST_COOKIES:
            self._jar.extract_cookies(response)

    def __len__(self) -> int:
        return 0 if self._jar is None else len(self._jar.jar)
