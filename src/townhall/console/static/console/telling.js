/**
 * Telling what has happened, once: a line in the bar that goes by itself, and the same words to screen readers.
 * Comings and goings are not told: with 2,000 people it would never stop.
 */

import { find, make } from "./dom.js";

const STAYS_MS = 6_000;

/** Something that a moderator did, or that happened to the conference. */
export function tell(words) {
  find("polite").textContent = words;
  show(words, "told");
}

/** Something that went wrong and needs to be known now. */
export function warn(words) {
  find("urgent").textContent = words;
  show(words, "wrong");
}

/** Words for screen readers only. */
export function murmur(words) {
  find("polite").textContent = words;
}

function show(words, kind) {
  const line = make(`p.${kind}`, {}, words);
  find("ticker").replaceChildren(line);
  setTimeout(() => line.remove(), STAYS_MS);
}
