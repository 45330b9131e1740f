/**
 * The live stream: server-sent events, watched.
 *
 * The browser reconnects by itself and says what it got last. This adds what it leaves out: a connection that is dead
 * without saying so (no heartbeat), one that the browser has given up, and words for the state it is in.
 */

const EVENTS = [
  "snapshot",
  "conference",
  "participants",
  "left",
  "speech",
  "levels",
  "entries",
  "recording",
  "removed",
  "heartbeat",
];
const DEAD_AFTER_MS = 40_000;
const LONGEST_PAUSE_MS = 15_000;

export class Stream {
  #url;
  #source = null;
  #watch = 0;
  #again = 0;
  #failures = 0;

  /** Called with the event's name and its data. */
  onEvent = () => {};
  /** Called with `live` or `reconnecting`. */
  onState = () => {};
  /** Called when the server ends the stream for good. */
  onSignedOut = () => {};
  /** Called a while after the server refused the stream; whoever listens finds out why, and opens it anew. */
  onRefused = () => this.open();

  constructor(url = "/console/events") {
    this.#url = url;
  }

  open() {
    this.close();
    const source = new EventSource(this.#url);
    this.#source = source;
    for (const name of EVENTS) source.addEventListener(name, (event) => this.#take(name, event));
    source.addEventListener("signed-out", (event) => {
      this.close();
      this.onSignedOut(JSON.parse(event.data).reason);
    });
    source.addEventListener("error", () => this.#lost());
    this.#watchFor(source);
  }

  close() {
    clearTimeout(this.#watch);
    clearTimeout(this.#again);
    this.#source?.close();
    this.#source = null;
  }

  #take(name, event) {
    this.#failures = 0;
    this.#watchFor(this.#source);
    this.onState("live");
    this.onEvent(name, JSON.parse(event.data));
  }

  #lost() {
    this.onState("reconnecting");
    // CONNECTING: the browser tries again by itself. CLOSED: it was refused, and gives up.
    if (this.#source?.readyState !== EventSource.CLOSED) return;
    this.retry();
  }

  /** After a pause that grows, call `onRefused`, which finds out why and opens the stream anew. */
  retry() {
    this.close();
    const pause = Math.min(LONGEST_PAUSE_MS, 500 * 2 ** this.#failures);
    this.#failures += 1;
    this.#again = setTimeout(() => this.onRefused(), pause);
  }

  #watchFor(source) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      if (source !== this.#source) return;
      this.onState("reconnecting");
      this.open();
    }, DEAD_AFTER_MS);
  }
}
