"""The Via header (RFC 3261 sections 18.2, 20.42; rport: RFC 3581)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from townhall.sip.errors import SIPParseError
from townhall.sip.grammar import NO_PARAMETERS, Parameters, read_number, shorten
from townhall.sip.uri import read_host_port, write_host_port

MAGIC_COOKIE = "z9hG4bK"
_SENT_PROTOCOL = re.compile(r"\s*([^\s/;]+)\s*/\s*([^\s/;]+)\s*/\s*([^\s/;]+)\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Via:
    """One hop: `transport` in upper case, sent-by as `host` (no brackets) and `port`."""

    transport: str
    host: str
    port: int | None = None
    parameters: Parameters = NO_PARAMETERS

    @classmethod
    def parse(cls, text: str) -> Via:
        """Read one Via value; raises `SIPParseError`, with 505 for a version other than 2.0."""
        match = _SENT_PROTOCOL.match(text)
        if match is None:
            raise SIPParseError(
                f"a Via such as SIP/2.0/UDP host;branch=z9hG4bK… was expected, not {shorten(text)}"
            )
        protocol, version, transport = match.groups()
        if protocol.upper() != "SIP" or version != "2.0":
            raise SIPParseError(f"only SIP/2.0 is spoken here, the Via has {shorten(match[0])}", 505)
        sent_by, _, parameters = text[match.end() :].partition(";")
        host, port = read_host_port(sent_by)
        return cls(transport.upper(), host, port, Parameters.parse(parameters))

    @property
    def branch(self) -> str | None:
        return self.parameters.get("branch")

    @property
    def is_rfc3261(self) -> bool:
        """Whether the branch is unique by itself (RFC 3261 section 8.1.1.7), in whatever case."""
        branch = self.branch
        return branch is not None and len(branch) > 7 and branch[:7].lower() == "z9hg4bk"

    @property
    def received(self) -> str | None:
        """The source address the receiver saw, without brackets around IPv6."""
        value = self.parameters.get("received")
        return value.strip("[]") if value else None

    @property
    def rport(self) -> int | None:
        """The source port the receiver saw; None when not filled in, or not a port."""
        try:
            return read_number(self.parameters.get("rport") or "", 65535, "rport")
        except SIPParseError:
            return None

    @property
    def response_address(self) -> tuple[str, int]:
        """Where a response goes over UDP (RFC 3261 section 18.2.2, RFC 3581 section 4)."""
        host = self.parameters.get("maddr") or self.received or self.host
        return host, self.rport or self.port or (5061 if self.transport == "TLS" else 5060)

    def with_source(self, host: str, port: int) -> Via:
        """The Via as a server stamps it on receipt: received when sent-by differs, rport when asked for."""
        parameters = self.parameters.without("received")
        asked = "rport" in parameters
        if asked:
            parameters = parameters.replace(rport=str(port))
        # RFC 3581 section 4: with rport, received goes in even when it equals sent-by.
        if asked or host.lower() != self.host.lower():
            parameters = parameters.replace(received=host)
        return replace(self, parameters=parameters)

    def __str__(self) -> str:
        return f"SIP/2.0/{self.transport} {write_host_port(self.host, self.port)}{self.parameters}"
