/**
 * Speech as spans of time, `[from_ms, to_ms]` in order; `to_ms` is null while it lasts. Sums and places, no page.
 */

/** How long the spans last together, in milliseconds. */
export function totalOf(spans, nowMs) {
  return spans.reduce((sum, [from, to]) => sum + Math.max(0, (to ?? nowMs) - from), 0);
}

/** Put a span where it belongs; one that is known by its beginning is replaced. */
export function placeSpan(spans, fromMs, toMs) {
  let index = spans.length;
  while (index > 0 && spans[index - 1][0] > fromMs) index -= 1;
  if (index > 0 && spans[index - 1][0] === fromMs) spans[index - 1] = [fromMs, toMs ?? spans[index - 1][1]];
  else spans.splice(index, 0, [fromMs, toMs]);
}

/**
 * Where spans stand on a lane.
 *
 * @param {[number, number|null][]} spans
 * @param {{from: number, to: number}} window what the lane shows, in milliseconds
 * @param {number} width of the lane, in pixels
 * @returns {{x: number, width: number}[]} at least one and a half pixels wide; neighbours closer than half a pixel
 *   are one
 */
export function bars(spans, window, width) {
  const scale = width / Math.max(1, window.to - window.from);
  const drawn = [];
  for (const [from, to] of spans) {
    const end = Math.min(to ?? window.to, window.to);
    if (end < window.from || from > window.to) continue;
    const x = Math.max(0, (from - window.from) * scale);
    const right = Math.max(x + 1.5, (end - window.from) * scale);
    const last = drawn.at(-1);
    if (last && x - (last.x + last.width) < 0.5) last.width = Math.max(last.width, right - last.x);
    else drawn.push({ x, width: right - x });
  }
  return drawn;
}

/** Seconds between the marks of a time axis: a round number that leaves at least `room` pixels between two. */
export function tickStep(seconds, width, room = 70) {
  const most = Math.max(1, Math.floor(width / room));
  const steps = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200];
  return steps.find((step) => seconds / step <= most) ?? 86400;
}
