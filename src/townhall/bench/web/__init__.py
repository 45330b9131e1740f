"""Browsers, many in one process: pages with the Voice SDK, with ICE, DTLS and SRTP of their own."""
