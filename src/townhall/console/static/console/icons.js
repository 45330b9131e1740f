/** The page's icons: strokes on a field of 24 by 24, drawn in the text's colour. They always stand beside a name. */

const SVG = "http://www.w3.org/2000/svg";

const STROKES = {
  microphone: ["M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3z", "M5 11a7 7 0 0 0 14 0", "M12 18v3"],
  muted: [
    "M9 9v2a3 3 0 0 0 4.5 2.6",
    "M15 11V6a3 3 0 0 0-5.7-1.3",
    "M5 11a7 7 0 0 0 10.6 6",
    "M19 11a7 7 0 0 1-.7 3",
    "M12 18v3",
    "M4 4l16 16",
  ],
  hold: ["M8 5v14", "M16 5v14"],
  resume: ["M8 5l11 7-11 7z"],
  coach: ["M4 5h11v8H9l-4 3v-3H4z", "M18 9h2v8h-1v3l-4-3h-3"],
  remove: ["M15 4H6v16h9", "M11 12h10", "M18 9l3 3-3 3"],
  lock: ["M6 11h12v9H6z", "M8.5 11V8a3.5 3.5 0 0 1 7 0v3"],
  unlock: ["M6 11h12v9H6z", "M8.5 11V8a3.5 3.5 0 0 1 6.7-1.4"],
  announce: ["M4 10v4h3l8 4V6l-8 4z", "M18 9.5a4 4 0 0 1 0 5", "M8 14.5V19h2.5v-3.4"],
  record: ["M12 5a7 7 0 1 0 0 14 7 7 0 0 0 0-14z", "M12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z"],
  stop: ["M7 7h10v10H7z"],
  dial: [
    "M6 3h3l2 5-2.2 1.5a11 11 0 0 0 5.7 5.7L16 13l5 2v3a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3 0 0 1 3-3z",
    "M18 3v6",
    "M15 6h6",
  ],
  call: ["M6 3h3l2 5-2.2 1.5a11 11 0 0 0 5.7 5.7L16 13l5 2v3a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3 0 0 1 3-3z"],
  end: ["M12 4v8", "M7.5 6.5a8 8 0 1 0 9 0"],
  search: ["M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z", "M15.5 15.5L20 20"],
  download: ["M12 4v11", "M7.5 10.5L12 15l4.5-4.5", "M4 20h16"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  more: ["M5 12h.01", "M12 12h.01", "M19 12h.01"],
  chevron: ["M7 10l5 5 5-5"],
  back: ["M14 6l-6 6 6 6"],
  people: [
    "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z",
    "M2.5 20a6.5 6.5 0 0 1 13 0",
    "M16 5.5a3.5 3.5 0 0 1 0 6.5",
    "M18 14.5a6.5 6.5 0 0 1 3.5 5.5",
  ],
  events: ["M4 6h16", "M4 12h16", "M4 18h10"],
  lanes: ["M4 6h7", "M14 6h6", "M4 12h3", "M10 12h8", "M7 18h10"],
  table: ["M4 5h16v14H4z", "M4 10h16", "M4 14.5h16", "M10 5v14"],
  keyboard: ["M3 7h18v10H3z", "M7 11h.01", "M11 11h.01", "M15 11h.01", "M8 14h8"],
  leave: ["M10 4H5v16h5", "M10 12h10", "M17 9l3 3-3 3"],
};

/**
 * @param {keyof typeof STROKES} name
 * @returns {SVGElement} hidden from screen readers
 */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  for (const strokes of STROKES[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", strokes);
    drawing.append(path);
  }
  return drawing;
}
