/** The event feed's lines from its entries: many comings or goings in a row become one line. No page. */

import { counted } from "./format.js";

const RUN = 4;
const RUN_GAP_MS = 15_000;
const RUNS = { joined: "came in", left: "left" };

/**
 * @param {Object[]} entries oldest first
 * @param {boolean} comings whether comings and goings are wanted
 * @param {number} most how many lines, the newest
 * @returns {{id: number, at_ms: number, kind: string, text: string, by: string|null}[]} newest first
 */
export function feedLines(entries, comings, most) {
  const lines = [];
  let run = [];
  const finish = () => {
    if (run.length >= RUN) lines.push(together(run));
    else lines.push(...run);
    run = [];
  };
  for (const entry of entries) {
    if (entry.kind in RUNS && !comings) continue;
    const last = run.at(-1);
    if (last && (last.kind !== entry.kind || entry.at_ms - last.at_ms > RUN_GAP_MS)) finish();
    run.push(entry);
    if (!(entry.kind in RUNS)) finish();
  }
  finish();
  return lines.slice(-most).reverse();
}

/** One line for a run; it keeps the number of the first, so that it stays the same line while it grows. */
function together(run) {
  const { id, kind } = run[0];
  return {
    id,
    at_ms: run.at(-1).at_ms,
    kind,
    text: `${counted(run.length, "person", "people")} ${RUNS[kind]}`,
    by: null,
  };
}
