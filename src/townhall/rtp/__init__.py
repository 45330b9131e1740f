"""RTP, RTCP and telephone events (RFC 3550, 3551, 4733, 5761): arrays for the media process, single
packets for phones.

Pure: no sockets, no clock. Array functions take a whole batch of datagrams and never raise for what a
peer sent; `parse_packet`, `parse_event` and `parse_rtcp` read one and raise their documented error. Left
out: SRTP, header extensions' contents, feedback and extended reports, redundancy (RFC 2198).
"""

from townhall.rtp.packet import HeaderArrays, RTPError, RTPPacket, build_packet, parse_headers, parse_packet
from townhall.rtp.rtcp import RTCPError, build_compounds, parse_compounds, parse_rtcp
from townhall.rtp.source import ReceptionReport, Sources
from townhall.rtp.telephone_event import DIGITS, Presses, TelephoneEvent, build_event, parse_event

__all__ = [
    "DIGITS",
    "HeaderArrays",
    "Presses",
    "RTCPError",
    "RTPError",
    "RTPPacket",
    "ReceptionReport",
    "Sources",
    "TelephoneEvent",
    "build_compounds",
    "build_event",
    "build_packet",
    "parse_compounds",
    "parse_event",
    "parse_headers",
    "parse_packet",
    "parse_rtcp",
]
