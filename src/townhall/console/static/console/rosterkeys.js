/** Arrows in the roster: from row to row, and along a row's buttons. */

/**
 * Listen to the keys of a grid.
 *
 * @param {HTMLElement} grid
 * @param {{go: (key: string, step: Step) => void, more: (key: string) => void}} roster `go` moves the focus from a
 *   row, by
 *   a step; `more` opens what Enter opens
 */
export function listenToArrows(grid, { go, more }) {
  grid.addEventListener("keydown", (event) => {
    const row = event.target.closest(".row.person");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = row.dataset;
    if (Object.hasOwn(STEPS, event.key)) go(key, STEPS[event.key]);
    else if (Object.hasOwn(SIDEWAYS, event.key)) alongButtons(row, SIDEWAYS[event.key]);
    else if (event.key === "Enter" && event.target === row) more(key);
    else return;
    event.preventDefault();
  });
}

/** @typedef {{by: number, unit: "row"|"page"|"end"}} Step */
const STEPS = {
  ArrowDown: { by: 1, unit: "row" },
  ArrowUp: { by: -1, unit: "row" },
  PageDown: { by: 1, unit: "page" },
  PageUp: { by: -1, unit: "page" },
  End: { by: 1, unit: "end" },
  Home: { by: -1, unit: "end" },
};
const SIDEWAYS = { ArrowRight: 1, ArrowLeft: -1 };

/**
 * Where a step leads: the place of a person, headings passed over; −1 when there is none.
 *
 * @param {{key: string, heading?: string}[]} lines
 * @param {number} place where it begins
 * @param {Step} step
 * @param {number} page how many rows a page has
 */
export function placeAfter(lines, place, { by, unit }, page) {
  if (unit === "end") return nearestPerson(lines, by > 0 ? lines.length : -1, -by);
  if (unit === "row") return nearestPerson(lines, place, by);
  const target = Math.min(lines.length - 1, Math.max(0, place + by * page));
  const found = nearestPerson(lines, target - by, by);
  return found < 0 ? nearestPerson(lines, target, -by) : found;
}

/** The next person's place after this one in a direction; −1 when there is none. */
export function nearestPerson(lines, place, direction) {
  for (let next = place + direction; next >= 0 && next < lines.length; next += direction) {
    if (!lines[next].heading) return next;
  }
  return -1;
}

function alongButtons(row, direction) {
  const buttons = [...row.querySelectorAll("button:not(:disabled)")].filter((button) => button.offsetParent);
  const stops = [row, ...buttons];
  const place = stops.indexOf(document.activeElement);
  stops[Math.min(stops.length - 1, Math.max(0, place + direction))]?.focus();
}
