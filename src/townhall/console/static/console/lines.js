/** How to call in: the number, the address and a button that does it, for a console with nobody to moderate. */

import { make } from "./dom.js";
import { icon } from "./icons.js";
import { tell } from "./telling.js";

/**
 * @param {{number: string, name: string}} line
 * @param {string|null} address how a phone reaches a line, with `{number}` for its number
 * @returns {HTMLElement}
 */
export function lineCard(line, address) {
  const page = `/?line=${encodeURIComponent(line.number)}`;
  const sip = address?.replace("{number}", line.number);
  return make(
    "article.call-in-card.card",
    {},
    make("h2", {}, line.name || `Line ${line.number}`),
    make(
      "dl",
      {},
      ...fact("Line", make("span.number", {}, line.number)),
      ...(sip ? fact("From a phone", make("span.number", {}, sip)) : []),
      ...fact(
        "From a browser",
        make("a.number", { href: page, target: "_blank", rel: "noopener" }, `${location.origin}${page}`),
      ),
    ),
    make(
      "div.call-in-acts",
      {},
      make(
        "a.button.go.large",
        { href: `${page}&press=3`, target: "_blank", rel: "noopener" },
        icon("call"),
        "Call in as moderator",
      ),
      copyButton(`${location.origin}${page}`),
    ),
    make(
      "p.soft.small",
      {},
      "Callers press ",
      make("kbd", {}, "1"),
      " to listen, ",
      make("kbd", {}, "2"),
      " to speak, ",
      make("kbd", {}, "3"),
      " to moderate. They hear music until a moderator is there.",
    ),
  );
}

function fact(name, value) {
  return [make("dt", {}, name), make("dd", {}, value)];
}

function copyButton(address) {
  const button = make("button.button", { type: "button" }, "Copy the link for callers");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(address);
      tell("The link is copied.");
    } catch {
      tell(`The browser does not let us copy. The link is ${address}`);
    }
  });
  // Without https there is no clipboard; the link above can be copied by hand.
  button.hidden = !navigator.clipboard;
  return button;
}
