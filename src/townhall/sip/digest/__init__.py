"""Digest authentication (RFC 7616, RFC 8760 for SIP; without qop: RFC 2617 section 3.2.2.1), both sides.

MD5 and SHA-256, each also as -sess, with qop auth, auth-int or none. Left out: SHA-512-256, which few
phones have; Authentication-Info; userhash.
"""

from townhall.sip.digest.challenge import Challenge, Credentials, parse_challenges
from townhall.sip.digest.client import answer_challenges
from townhall.sip.digest.response import ALGORITHMS, digest_response
from townhall.sip.digest.server import DigestAuthenticator, Verdict

__all__ = [
    "ALGORITHMS",
    "Challenge",
    "Credentials",
    "DigestAuthenticator",
    "Verdict",
    "answer_challenges",
    "digest_response",
    "parse_challenges",
]
