"""The moderator's console and the server of the phone page: what is seen and done in a browser.

Like `townhall.app` it stands on the other side of the seam: it imports nothing of the engine, learns what
happens from signed status callbacks and acts through the REST API with the official `twilio` package, so it
works against Townhall and against Twilio. Inside: `facts` go into the model (`room`, `person`, `hall`: no
I/O), `wire` shapes it as JSON, `feed` and `stream` send it, `acting` has the engine do things, `sessions` and
`sign_in` let people in, `archive` keeps what was learned. The pages are in `static/`.

docs/reference/console-api.md is the contract between the pages and this room. It leaves out: the conference's
rules, which are the engine's, and the menu, which is `townhall.app`.
"""

from townhall.console.console import Console, create_console
from townhall.console.rest import TWILIO_API, rest_client
from townhall.console.settings import ConsoleSettings, LineBook

__all__ = ["TWILIO_API", "Console", "ConsoleSettings", "LineBook", "create_console", "rest_client"]
