"""SRTP and SRTCP by libsrtp, whole batches of packets where they lie (RFC 3711, RFC 7714).

pylibsrtp's own calls take and return bytes, which costs more than the encryption: 1.4 µs a packet. Its
binding called on the arrays' own memory, one C call per packet from `map`, takes a quarter of that; so this
file, and no other, knows the binding's names.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

from townhall.media.secure.dtls import SrtpKeys
from townhall.media.shapes import Bools, Bytes, Int32s

Handle = Any
"""A C pointer to one direction's session."""

MOST_TRAILER = 20
"""Bytes that protection adds at most: a tag of 16, and SRTCP's index."""

REPLAY_WINDOW = 1024
"""Packets. libsrtp's own 128 is two seconds and a half, less than a mobile network's worst."""

_OK: int = lib.srtp_err_status_ok

_PROFILES = {
    b"SRTP_AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    b"SRTP_AES128_CM_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
}


class Protection:
    """Both directions of one association. The handles are valid as long as it lives."""

    def __init__(self, keys: SrtpKeys) -> None:
        self._outbound = _session(keys.profile, keys.outbound, Policy.SSRC_ANY_OUTBOUND)
        self._inbound = _session(keys.profile, keys.inbound, Policy.SSRC_ANY_INBOUND)
        self.outbound: Handle = self._outbound._srtp[0]
        self.inbound: Handle = self._inbound._srtp[0]


def _session(profile: bytes, key: bytes, direction: int) -> Session:
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=_PROFILES[profile])
    policy.window_size = REPLAY_WINDOW
    return Session(policy)


class Rows:
    """Pointers to the rows of one array, and their lengths as libsrtp wants them."""

    def __init__(self, data: Bytes) -> None:
        """`data` `(n, stride)`, which must live as long as this."""
        self.data = data
        self.lengths: Int32s = np.zeros(len(data), np.int32)
        first, stride = ffi.cast("char *", data.ctypes.data), data.strides[0]
        self.at = [first + row * stride for row in range(len(data))]
        lengths = ffi.cast("int *", self.lengths.ctypes.data)
        self.length_at = [lengths + row for row in range(len(data))]

    def covers(self, data: Bytes) -> bool:
        """Whether these are the rows of `data` too, from the first on."""
        same = data.ctypes.data == self.data.ctypes.data and data.strides[0] == self.data.strides[0]
        return same and len(data) <= len(self.data)


def protect(rows: Rows, handles: Sequence[Handle], rtcp: bool) -> Bools:
    """Encrypt the first `len(handles)` rows in place; `rows.lengths` holds their lengths, before and after.
    Which of them succeeded `(n,)`; the rows need `MOST_TRAILER` bytes more than they have.
    """
    call = lib.srtp_protect_rtcp if rtcp else lib.srtp_protect
    return _succeeded(map(call, handles, rows.at, rows.length_at), len(handles))


def unprotect(rows: Rows, which: Sequence[int], handles: Sequence[Handle], rtcp: bool) -> Bools:
    """Decrypt the rows `which` in place, each with its handle; which were genuine and not replayed `(n,)`."""
    call = lib.srtp_unprotect_rtcp if rtcp else lib.srtp_unprotect
    at = map(rows.at.__getitem__, which)
    length_at = map(rows.length_at.__getitem__, which)
    return _succeeded(map(call, handles, at, length_at), len(handles))


def _succeeded(codes: "map[int]", count: int) -> Bools:
    succeeded: Bools = np.fromiter(codes, np.int32, count) == _OK
    return succeeded
