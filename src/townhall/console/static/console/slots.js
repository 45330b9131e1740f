/**
 * Who stands where in the "on air" strip. No page and no clock: the time is a parameter.
 *
 * A speaker keeps the place they got, also through pauses, so that nobody's name moves while it is being read.
 * A new speaker takes an empty place, else that of whoever has been silent longest. Who finds no place is counted.
 */

/** For how long a silent speaker's name stays, in milliseconds. */
export const LINGER_MS = 20_000;

/**
 * @typedef {Object} Slot
 * @property {string} key whose place it is
 * @property {boolean} lit whether they are speaking now
 * @property {number} since when they began to speak, or, when dim, when they stopped
 */

/**
 * Seat the speakers.
 *
 * @param {(Slot|null)[]} slots as they were
 * @param {{key: string, since: number}[]} talking who speaks now, and since when
 * @param {number} size how many places there are
 * @param {number} now in milliseconds
 * @returns {{slots: (Slot|null)[], unseated: string[]}}
 */
export function seat(slots, talking, size, now) {
  const since = new Map(talking.map((speaker) => [speaker.key, speaker.since]));
  const next = fit(slots, size).map((slot) => keep(slot, since, now));
  const seated = new Set(next.filter(Boolean).map((slot) => slot.key));
  const unseated = [];
  for (const speaker of [...talking].sort((one, other) => one.since - other.since)) {
    if (seated.has(speaker.key)) continue;
    const place = freePlace(next);
    if (place < 0) unseated.push(speaker.key);
    else next[place] = { key: speaker.key, lit: true, since: speaker.since };
  }
  return { slots: next, unseated };
}

function keep(slot, since, now) {
  if (!slot) return null;
  if (since.has(slot.key)) return { key: slot.key, lit: true, since: since.get(slot.key) };
  if (slot.lit) return { key: slot.key, lit: false, since: now };
  return now - slot.since > LINGER_MS ? null : slot;
}

function freePlace(slots) {
  const empty = slots.indexOf(null);
  if (empty >= 0) return empty;
  const dim = slots.filter((slot) => !slot.lit).sort((one, other) => one.since - other.since);
  return dim.length ? slots.indexOf(dim[0]) : -1;
}

/** A window that became narrower has fewer places: the last ones go. */
function fit(slots, size) {
  return Array.from({ length: size }, (_, place) => slots[place] ?? null);
}
