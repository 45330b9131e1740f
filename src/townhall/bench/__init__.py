"""The load maker behind `townhall bench`: measures this machine with real calls, and prints a table.

It starts a server of its own on loopback addresses of its own, calls its conference line from as many
phones as asked for, presses the menu's keys and listens. Two things are measured: how fast calls are
answered, and what a conference costs: tick times, packets missed at every phone, and the media process's
CPU against a bare loop that receives and sends the same packets, the floor that no server can go below. The
phones are one process with batched sockets (Linux only), and so are the browsers, which call as a page with
the Voice SDK does, with ICE, DTLS and SRTP of their own: what one costs that listens, one that talks, and
how soon it hears. What it leaves out: other machines, and TCP.
"""
