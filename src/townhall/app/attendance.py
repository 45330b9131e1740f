"""Who is told which caller is who: Twilio's conferences know neither roles nor numbers."""

from typing import Protocol

from townhall.app.lines import Role


class Attendance(Protocol):
    """Told in the course of a webhook; it must take no time. The console is one."""

    def called(self, call_sid: str, caller: str, line: str, name: str = "") -> None:
        """A call has reached a line. `caller`: the webhook's `From`. `name`: what the caller's network or
        page calls him; may be empty.
        """

    def took_role(self, call_sid: str, caller: str, line: str, role: Role) -> None:
        """The caller is now put into the line's conference in this role."""


class Nobody:
    """Is told, and keeps nothing."""

    def called(self, call_sid: str, caller: str, line: str, name: str = "") -> None:
        return

    def took_role(self, call_sid: str, caller: str, line: str, role: Role) -> None:
        return
