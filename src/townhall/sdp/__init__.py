"""SDP without I/O: session descriptions, and the offers and answers of one audio stream (RFC 8866, RFC 3264).

`make_answer` and `accept_answer` give an `AudioAgreement`, all that the media process needs to know;
`choose_audio` and `answer_with` are the two halves of `make_answer`.
`townhall.sdp.webrtc` does the same with a browser, over ICE and DTLS. Left out: video, SRTP keys in the
description, names instead of addresses.
"""

from townhall.sdp.audio import AudioAgreement, AudioCapabilities, Codec
from townhall.sdp.description import MediaDescription, Origin, SessionDescription, parse_sdp
from townhall.sdp.errors import NothingFits, SDPError
from townhall.sdp.offer_answer import (
    Direction,
    LocalMedia,
    accept_answer,
    answer_with,
    choose_audio,
    make_answer,
    make_offer,
)

__all__ = [
    "AudioAgreement",
    "AudioCapabilities",
    "Codec",
    "Direction",
    "LocalMedia",
    "MediaDescription",
    "NothingFits",
    "Origin",
    "SDPError",
    "SessionDescription",
    "accept_answer",
    "answer_with",
    "choose_audio",
    "make_answer",
    "make_offer",
    "parse_sdp",
]
