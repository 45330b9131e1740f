/**
 * The phone by keyboard: digits, * and # press keys, Enter calls or answers, M mutes, Escape twice hangs up.
 *
 * Escape is struck by habit to close things, and whoever moderates ends the conference by leaving: so the first time
 * only warns.
 */

const AGAIN_WITHIN_MS = 4_000;
const FIELDS = "input:not([type=radio], [type=checkbox]), select, textarea, [contenteditable]";

export class Shortcuts {
  #phone;
  #where;
  #acts;
  #warnedAt = -Infinity;
  #listener = (event) => this.#take(event);

  /**
   * @param {import("./phone.js").Phone} phone
   * @param {EventTarget} where  the keyboard works while the focus is in there
   * @param {{call: () => void, type: (digit: string) => void, warn: () => void}} acts
   */
  constructor(phone, where, acts) {
    this.#phone = phone;
    this.#where = where;
    this.#acts = acts;
  }

  start() {
    this.#where.addEventListener("keydown", this.#listener);
  }

  stop() {
    this.#where.removeEventListener("keydown", this.#listener);
  }

  #take(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (event.key === "Escape") this.#escape(event);
    else if (target.closest(FIELDS)) return;
    else if (/^[0-9*#]$/.test(event.key)) this.#digit(event);
    else if (event.key === "Enter") this.#enter(event, target);
    else if (event.key.toLowerCase() === "m" && this.#phone.isBusy && !event.repeat) this.#toggleMute(event);
  }

  #digit(event) {
    if (event.repeat) return;
    event.preventDefault();
    if (!this.#phone.isBusy) this.#acts.type(event.key);
    else this.#phone.press(event.key);
  }

  #enter(event, target) {
    if (event.repeat || target.closest("button, a, summary, label, input")) return;
    const { status } = this.#phone.state;
    if (status !== "idle" && status !== "incoming") return;
    event.preventDefault();
    if (status === "incoming") void this.#phone.answer();
    else this.#acts.call();
  }

  #toggleMute(event) {
    event.preventDefault();
    if (!this.#phone.state.listenOnly) this.#phone.mute(!this.#phone.state.muted);
  }

  #escape(event) {
    if (!this.#phone.isBusy || event.repeat) return;
    event.preventDefault();
    const now = performance.now();
    if (now - this.#warnedAt < AGAIN_WITHIN_MS) {
      this.#warnedAt = -Infinity;
      this.#phone.hangUp();
    } else {
      this.#warnedAt = now;
      this.#acts.warn();
    }
  }
}
