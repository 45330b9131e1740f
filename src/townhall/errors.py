"""The root of every error that Townhall raises on purpose.

Each room derives its own: a caller that catches `TownhallError` catches bad input and broken peers,
never a bug.
"""


class TownhallError(Exception):
    """Something that was read or asked for is wrong; the message says what was read, what was expected and
    what can be done.
    """
