"""A conference application as a Twilio customer would write it: Flask, the official `twilio` package, nothing
of ours.

It is the how-to's moderated conference. Every request must carry a signature that `RequestValidator` accepts.
"""

from collections.abc import Callable
from functools import wraps

from flask import Flask, Response, abort, request, session, url_for
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse


def create_app(auth_token: str, room: str) -> Flask:
    app = Flask(__name__)
    app.secret_key = "only for this test"
    validator = RequestValidator(auth_token)
    app.config["refused"] = []
    app.config["left"] = []

    def twiml(view: Callable[[], VoiceResponse]) -> Callable[[], Response]:
        @wraps(view)
        def checked() -> Response:
            signature = request.headers.get("X-Twilio-Signature", "")
            form = {} if request.method == "GET" else request.form
            if not validator.validate(request.url, form, signature):
                app.config["refused"].append(request.url)
                abort(403)
            return Response(str(view()), mimetype="text/xml")

        return checked

    @app.route("/voice", methods=["POST"])
    @twiml
    def voice() -> VoiceResponse:
        session["calls"] = session.get("calls", 0) + 1
        response = VoiceResponse()
        gather = Gather(num_digits=1)
        if "Digits" in request.form:
            role = {"1": "listener", "2": "speaker", "3": "moderator"}.get(request.form["Digits"])
            if role:
                response.redirect(url_for("join", role=role), method="GET")
                return response
            gather.say("That is not in the menu.")
        gather.say("Welcome. Press 1 to listen, 2 to speak, 3 to moderate.")
        response.append(gather)
        response.redirect(url_for("voice"))
        return response

    @app.route("/join", methods=["GET"])
    @twiml
    def join() -> VoiceResponse:
        role = request.args["role"]
        response = VoiceResponse()
        dial = Dial(action=url_for("left", role=role))
        dial.conference(
            room,
            beep=False,
            muted=role == "listener",
            start_conference_on_enter=role == "moderator",
            end_conference_on_exit=role == "moderator",
        )
        response.append(dial)
        return response

    @app.route("/left", methods=["POST"])
    @twiml
    def left() -> VoiceResponse:
        visits = session.get("calls", 0)
        app.config["left"].append((request.args["role"], request.form["DialCallStatus"], visits))
        response = VoiceResponse()
        response.hangup()
        return response

    return app
