"""Announcements in words: kept for a while and served as TwiML under an address that nobody guesses.

The REST API announces what stands at a URL (`AnnounceUrl`), so the text waits here until the engine fetches
it. The request is signed like every webhook, and checked.
"""

import secrets
from collections import OrderedDict
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from twilio.twiml.voice_response import VoiceResponse

from townhall.app.signed import SignatureCheck
from townhall.console.refusals import Refusal

PATH = "/console/announcements"
MOST_WAITING = 200


class Announcements:
    """The latest `MOST_WAITING` texts; an announcement is fetched at once, so that is plenty."""

    def __init__(self, auth_token: str, base_url: str) -> None:
        self._check = SignatureCheck(auth_token, base_url)
        self._base_url = base_url
        self._documents: OrderedDict[str, str] = OrderedDict()

    def url_of(self, text: str, language: str, voice: str | None) -> str:
        """Where the engine finds this text as a document."""
        response = VoiceResponse()
        response.say(text, language=language, voice=voice or None)
        id_ = secrets.token_urlsafe(24)
        self._documents[id_] = str(response)
        if len(self._documents) > MOST_WAITING:
            self._documents.popitem(last=False)
        return f"{self._base_url}{PATH}/{id_}"

    def is_ours(self, url: str) -> bool:
        """Whether a URL leads to this very server, which would believe the engine that asks."""
        return urlsplit(url).netloc.rpartition("@")[2].lower() == urlsplit(self._base_url).netloc.lower()

    def routes(self) -> list[Route]:
        return [Route(PATH + "/{id}", self._serve, methods=["GET", "POST"])]

    async def _serve(self, request: Request) -> Response:
        await self._check.parameters(request)
        document = self._documents.get(request.path_params["id"])
        if document is None:
            raise Refusal("not-found", "There is no such announcement, or no longer.")
        return Response(document, media_type="text/xml", headers={"Cache-Control": "no-store"})
