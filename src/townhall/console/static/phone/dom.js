/**
 * Making elements. What the server or a caller says goes in as text, never as markup.
 *
 * @param {string} tag  with classes after dots: `"button.button.go"`
 * @param {Record<string, unknown>} [given]  attributes; functions are listeners, `true` an empty attribute, `false`
 *   and null none
 * @param {...(Node|string)} children
 * @returns {HTMLElement}
 */
export function make(tag, given = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length > 0) element.className = classes.join(" ");
  for (const [attribute, value] of Object.entries(given)) {
    if (typeof value === "function") element.addEventListener(attribute, value);
    else if (value !== false && value !== null) element.setAttribute(attribute, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

/** Write text where it differs, so that nothing is read out or selected anew for nothing. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let made = 0;

/** @returns {string} an id that no other element has, for labels */
export function newId() {
  made += 1;
  return `phone-${made}`;
}

const SVG = "http://www.w3.org/2000/svg";
const STROKES = {
  call: ["M5 4h4l1.6 4.4-2.3 1.7a12 12 0 0 0 5.6 5.6l1.7-2.3L20 15v4a1.6 1.6 0 0 1-1.7 1.6A15.6 15.6 0 0 1 3.4 5.7 1.6 1.6 0 0 1 5 4z"],
  end: ["M3.5 14.6v-2.2c5-4.4 12-4.4 17 0v2.2l-4.3 1.2-1.1-3.2a11 11 0 0 0-6.2 0l-1.1 3.2z"],
  microphone: ["M12 3.5a2.8 2.8 0 0 0-2.8 2.8v5a2.8 2.8 0 0 0 5.6 0v-5A2.8 2.8 0 0 0 12 3.5z", "M5.5 11a6.5 6.5 0 0 0 13 0", "M12 17.5v3"],
  muted: ["M9.2 9v2.3a2.8 2.8 0 0 0 4.3 2.4", "M14.8 11V6.3a2.8 2.8 0 0 0-5.3-1.2", "M5.5 11a6.5 6.5 0 0 0 10 5.5", "M18.5 11a6.4 6.4 0 0 1-.7 2.9", "M12 17.5v3", "M4 4l16 16"],
  people: ["M9 5.5a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4z", "M3 19.5a6 6 0 0 1 12 0", "M16 6a3.2 3.2 0 0 1 0 5.9", "M17.5 14.3a6 6 0 0 1 3.5 5.2"],
}; // prettier-ignore

/**
 * @param {keyof typeof STROKES} name
 * @returns {SVGElement} a drawing in the text's colour, which screen readers pass over
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
