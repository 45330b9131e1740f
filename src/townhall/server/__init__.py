"""Puts the server together and runs it: settings in, a running Townhall out.

`assembly` starts the parts and stops them in order, `numbering` says where numbers lead, `network` opens
the sockets, `running` is the foreground of `townhall serve`. This is the one room that knows both sides of
the seam: the engine and the conference application. It leaves out every rule.
"""

from townhall.server.assembly import Server
from townhall.server.network import ServerError
from townhall.server.running import run, serve

__all__ = ["Server", "ServerError", "run", "serve"]
