/**
 * Making elements. Names and numbers come from callers, so nothing on this page is ever made from a string of
 * markup: text goes in as text, and attributes one by one.
 */

/**
 * Make an element.
 *
 * @param {string} tag its name, with classes after dots: `"button.button.quiet"`
 * @param {Object} [given] attributes; `on` is a table of listeners; `undefined`, `null` and `false` leave one out
 * @param {...(Node|string|number|null|undefined|false)} children strings become text
 * @returns {HTMLElement}
 */
export function make(tag, given = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [attribute, value] of Object.entries(given)) {
    if (attribute === "on") listen(element, value);
    else put(element, attribute, value);
  }
  element.append(...children.filter((child) => child || child === 0).map((child) => asNode(child)));
  return element;
}

/** Set an attribute, or take it away when the value is nothing; the page is not touched when it says so already. */
export function put(element, attribute, value) {
  if (value === undefined || value === null || value === false) {
    if (element.hasAttribute(attribute)) element.removeAttribute(attribute);
    return;
  }
  const text = value === true ? "" : String(value);
  if (element.getAttribute(attribute) !== text) element.setAttribute(attribute, text);
}

/** Write text into an element, only where it differs. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The element of the page with this id. */
export function find(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element "${id}"`);
  return element;
}

/** Put a CSS variable on an element (through its object: the page's policy forbids style attributes). */
export function dress(element, property, value) {
  element.style.setProperty(property, value);
}

function listen(element, listeners) {
  for (const [event, listener] of Object.entries(listeners)) element.addEventListener(event, listener);
}

function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}
