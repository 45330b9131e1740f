/**
 * The roster's order: by role, and in a role by the time of coming, so that newcomers stand last. No page.
 *
 * And its calm: `settle` says whether a new order may be shown now or has to wait until the pointer is gone.
 */

export const ROLE_ORDER = ["moderator", "speaker", "listener", "other"];

const MARKS = /\p{M}/gu;

/** Letters as they are searched for: small, without accents. */
export function fold(text) {
  return text.normalize("NFD").replace(MARKS, "").toLowerCase();
}

/**
 * The lines of the roster: a heading for each role that has somebody, then its people.
 *
 * @param {Iterable<Object>} people participants with `call_sid`, `role`, `joined_at_ms`
 * @param {string} query words that all must be found
 * @param {(person: Object) => string} describe what a person is searched by
 * @returns {{key: string, heading?: string, number?: number}[]}
 */
export function arrange(people, query, describe) {
  const words = fold(query).split(/\s+/).filter(Boolean);
  const groups = new Map(ROLE_ORDER.map((role) => [role, []]));
  for (const person of people) {
    if (words.length && !matches(fold(describe(person)), words)) continue;
    (groups.get(person.role) ?? groups.get("other")).push(person);
  }
  const lines = [];
  for (const [role, members] of groups) {
    if (!members.length) continue;
    lines.push({ key: `role:${role}`, heading: role, number: members.length });
    members.sort((one, other) => one.joined_at_ms - other.joined_at_ms || (one.call_sid < other.call_sid ? -1 : 1));
    for (const person of members) lines.push({ key: person.call_sid });
  }
  return lines;
}

function matches(text, words) {
  return words.every((word) => text.includes(word));
}

/**
 * Whether the lines between `first` and `last` (those that are seen) are the same in both orders, counted from
 * the line that must not move: then the new order can be shown under the pointer and nobody notices.
 *
 * @param {{key: string}[]} shown
 * @param {{key: string}[]} wanted
 * @param {number} first
 * @param {number} last exclusive
 * @returns {boolean}
 */
export function alikeInView(shown, wanted, first, last) {
  if (first >= shown.length) return true;
  const start = wanted.findIndex((line) => line.key === shown[first].key);
  if (start < 0 || (first === 0 && start !== 0)) return false;
  for (let index = first; index < Math.min(last, shown.length); index += 1) {
    if (wanted[start + index - first]?.key !== shown[index].key) return false;
  }
  return true;
}

/** By how many lines the order moves at `key`; what the list scrolls by to keep that line where it is. */
export function shiftOf(shown, wanted, key) {
  const before = shown.findIndex((line) => line.key === key);
  const after = wanted.findIndex((line) => line.key === key);
  return before < 0 || after < 0 ? 0 : after - before;
}
