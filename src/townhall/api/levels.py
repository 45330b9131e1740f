"""Levels, which Twilio does not have: how loud the talkers of a conference are, to be asked often.

A live conference is answered without a look at the store, so that a meter costs little. Left out: paging;
there are as many levels as talkers.
"""

from starlette.responses import Response

from townhall.api import conferences
from townhall.api.asking import Ask, route
from townhall.api.render import answer


async def fetch(ask: Ask) -> Response:
    sid = ask.named("conference")
    live = ask.engine.switchboard.hall.conferences.get(sid)
    if live is None:
        await conferences.find(ask, sid)
    levels = ask.engine.switchboard.levels.read(live) if live is not None else []
    return answer({"conference_sid": sid, "levels": levels})


ROUTES = [route("/Accounts/{account}/Conferences/{conference}/Levels", get=fetch)]
