"""Townhall: moderated voice conferences that you host yourself, in Twilio's language.

The rooms, from the pure ones up: `sip` `sdp` `rtp` `audio` (protocols and sound, no I/O), `conference` and
`twiml` (the rules), `media` `signalling` `speech` `webhooks` `store` (the shells that touch the world),
`calls` (joins them), `phone` (a phone of our own), `api`, `server` and `cli`. `app` is the conference
application: the other side of the seam, it speaks only TwiML and REST.
"""

__version__ = "0.1.0"
