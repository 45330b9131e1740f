/**
 * Nothing jumps under the pointer: as long as the pointer moves over an element, what would move there is held back.
 * A pointer that lies still for a while holds nothing.
 */

const IDLE_MS = 8_000;

export class Calm {
  #held = false;
  #timer = 0;
  #onFree;

  /**
   * @param {HTMLElement} element
   * @param {() => void} onFree called when what was held back may be shown
   */
  constructor(element, onFree) {
    this.#onFree = onFree;
    element.addEventListener("pointermove", (event) => event.pointerType === "mouse" && this.#hold());
    element.addEventListener("pointerleave", () => this.#free());
  }

  get held() {
    return this.#held;
  }

  #hold() {
    this.#held = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#free(), IDLE_MS);
  }

  #free() {
    clearTimeout(this.#timer);
    if (!this.#held) return;
    this.#held = false;
    this.#onFree();
  }
}
