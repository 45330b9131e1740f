"""What the server says over HTTP: `health`, and the REST API 2010-04-01 with one module per resource.

The API follows Twilio's OpenAPI description: `params` reads the wire's words, `render` writes them, `errors`
has Twilio's numbers in one table, `auth` lets clients in, `paging` cuts lists, `application` joins it all.
What happens to live calls and conferences is decided below, in `calls`; nothing here acts by itself.
Webhooks that the server sends are `townhall.webhooks`, the conference application's pages `townhall.app`.
Left out: messages, addresses, sub-accounts, SIP resources, XML and CSV.
"""

from townhall.api.application import APIMount, create_api
from townhall.api.engine import Engine
from townhall.api.errors import APIError, error_response

__all__ = ["APIError", "APIMount", "Engine", "create_api", "error_response"]
