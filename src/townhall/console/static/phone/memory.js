/** What a page remembers from one visit to the next, if the browser lets it. */
export class Memory {
  #key;
  #kept;

  /** @param {string} key  of the browser's local storage */
  constructor(key) {
    this.#key = key;
    this.#kept = read(key);
  }

  get(name, otherwise) {
    return Object.hasOwn(this.#kept, name) ? this.#kept[name] : otherwise;
  }

  set(name, value) {
    this.#kept[name] = value;
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#kept));
    } catch {
      // Private windows and full discs: then it lasts as long as the page.
    }
  }
}

function read(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "{}");
    return kept && typeof kept === "object" && !Array.isArray(kept) ? kept : {};
  } catch {
    return {};
  }
}
