"""Townhall: moderated voice conferences that you host yourself, in Twilio's language.

The rooms, from the pure ones up: `sip` `sdp` `rtp` `audio` (protocols and sound, no I/O), `conference`
`queues` `routing` and `twiml` (the rules), `media` `signalling` `speech` `webhooks` `store` `recordings` (the
shells that touch the world), `calls` (joins them), `phone` and `bench` (phones of our own), `api`, `server`
and `cli`. `app` is the conference application: the other side of the seam, it speaks only TwiML and REST.
"""

__version__ = "0.1.0"
