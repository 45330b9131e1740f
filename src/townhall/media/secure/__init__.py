"""Browsers' media between the sockets and the engine: ICE, DTLS and SRTP (RFC 8827, RFC 5763, RFC 5764).

All browsers share one UDP port. `SecureMedia` sorts what comes there (RFC 7983), answers connectivity
checks and handshakes itself, and hands on what is left as plain RTP and RTCP of a *virtual name*, one for
each leg; what the engine sends to such a name it encrypts and sends to wherever the browser is. So the
engine knows nothing of encryption, and a leg's lookup, RTCP and goodbye work for browsers as for phones.

Left out: SDES (`a=crypto`), data channels, TURN, encrypted header extensions.
"""

from townhall.media.secure.certificate import Certificate, CertificateError, certificate_at, new_certificate
from townhall.media.secure.media import SecureMedia

__all__ = ["Certificate", "CertificateError", "SecureMedia", "certificate_at", "new_certificate"]
