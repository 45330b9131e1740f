/** While a conference waits for a moderator: how to be that moderator, where "on air" will be. */

import { find, make } from "./dom.js";
import { icon } from "./icons.js";

/**
 * Paint the invitation, when it says something new.
 *
 * @param {{facts: Object}} room
 */
export function paintInvitation({ facts }) {
  const place = find("invitation");
  const line = facts.lines[0];
  const waiting = facts.state === "waiting" && facts.waiting_for !== "others" && Boolean(line);
  place.hidden = !waiting;
  find("slots").hidden = waiting;
  if (!waiting || place.dataset.line === line) return;
  place.dataset.line = line;
  const address = `/?line=${encodeURIComponent(line)}&press=3`;
  const button = make(
    "a.button.go.large",
    { href: address, target: "_blank", rel: "noopener" },
    icon("call"),
    "Call in as moderator",
  );
  place.replaceChildren(make("p", {}, "Everybody hears music until a moderator calls in."), button);
}
