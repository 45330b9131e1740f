"""`<Enqueue>`: the caller waits in a queue until somebody takes him out of it.

Twilio's page on the verb. The `action` is requested when he has left the queue, or the talk that came out of
it, with `QueueResult`, and with `QueueSid` and `QueueTime` if he was in it; also when he hung up or the REST
API redirected him, though nobody reads the answer then. TaskRouter (`workflowSid`, `<Task>`) is left out.
"""

from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from townhall.twiml.attributes import Attribute, AttributeReader
from townhall.twiml.control import (
    CallEnded,
    CallRedirected,
    DocumentRequest,
    EnqueueOutcome,
    EnqueuePlan,
    FetchFailed,
    Method,
    Notice,
)  # fmt: skip
from townhall.twiml.kinds import ANYTHING, METHOD, URL, matching, optional
from townhall.twiml.notices import NoticeBook
from townhall.twiml.nouns.queue import bad_queue_name
from townhall.twiml.scene import Scene

ACTION = Attribute[str | None]("action", optional(ANYTHING), None, 14203)
METHOD_OF = Attribute[Method]("method", METHOD, "POST", 14201)
WAIT_URL = Attribute[str | None]("waitUrl", optional(URL), None, 14202)
WAIT_METHOD = Attribute[Method]("waitUrlMethod", METHOD, "POST", 14206)
WORKFLOW_SID = Attribute[str | None](
    "workflowSid", optional(matching(r"WW[0-9a-fA-F]{32}", "WW and 32 hexadecimal digits")), None, 14207
)
ATTRIBUTES: tuple[Attribute[Any], ...] = (ACTION, METHOD_OF, WAIT_URL, WAIT_METHOD, WORKFLOW_SID)


@dataclass(frozen=True, slots=True)
class Enqueue:
    plan: EnqueuePlan
    """With the URL as written."""
    refused: Notice | None = None
    """Why nobody can be queued by this element, if so."""
    action: str | None = None
    """As written; None: the next verb runs."""
    method: Method = "POST"

    async def run(self, scene: Scene) -> DocumentRequest | None:
        await scene.control.answer()
        outcome = await self._wait(scene)
        if outcome.error is not None:
            scene.control.report(outcome.error)
        if outcome.interruption is not None:
            await self._tell_action(scene, outcome)
            raise outcome.interruption
        return None if self.action is None else self._request(scene, self.action, outcome)

    async def _wait(self, scene: Scene) -> EnqueueOutcome:
        if self.refused is not None:
            return EnqueueOutcome("error", error=self.refused)
        plan = self.plan
        if plan.wait_url:
            try:
                plan = replace(plan, wait_url=scene.absolute(plan.wait_url))
            except FetchFailed as failure:
                scene.report_failure(failure)
                plan = replace(plan, wait_url=None)
        return await scene.control.enqueue(plan)

    async def _tell_action(self, scene: Scene, outcome: EnqueueOutcome) -> None:
        """Nobody hears the action's answer: the caller has hung up, or runs another document at once."""
        if self.action is None:
            return
        try:
            request = self._request(scene, self.action, outcome)
            if isinstance(outcome.interruption, CallRedirected):
                scene.control.tell(request)
            else:
                await scene.control.fetch(request)
        except FetchFailed as failure:
            scene.report_failure(failure)
        except (CallEnded, CallRedirected):
            return

    def _request(self, scene: Scene, action: str, outcome: EnqueueOutcome) -> DocumentRequest:
        parameters: list[tuple[str, str]] = [("QueueResult", outcome.result)]
        if outcome.queue_sid is not None:
            parameters += [("QueueSid", outcome.queue_sid), ("QueueTime", str(outcome.queue_time_s or 0))]
        return DocumentRequest(scene.absolute(action), self.method, tuple(parameters))


def parse_enqueue(element: etree._Element, notices: NoticeBook) -> Enqueue:
    values = AttributeReader(element, ATTRIBUTES, notices)
    values.check(WORKFLOW_SID)
    for child in element:
        what = "TaskRouter is not part of this server" if child.tag == "Task" else "it holds a queue's name"
        notices.warn(12200, f"<{child.tag}> can't stand inside <Enqueue>: {what}; skipped")
    name = " ".join(str(element.text or "").split())
    return Enqueue(
        plan=EnqueuePlan(name, values[WAIT_URL], values[WAIT_METHOD]),
        refused=bad_queue_name(name, "<Enqueue>", too_short=14204, too_long=14205),
        action=values[ACTION],
        method=values[METHOD_OF],
    )
