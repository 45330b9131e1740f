/**
 * Keeps a call's sound going: notices when it never came, or stopped, and asks for a new path (ICE restart).
 *
 * The server sends all the time, silence included, so packets that stay away mean a path that is gone; that is seen
 * long before the browser gives the connection up.
 */

const LOOK_EVERY_MS = 1_000;
const BLOCKED_AFTER_LOOKS = 6;
const SILENT_LOOKS = 4;
const RESTART_EVERY_LOOKS = 5;
const LOST_AFTER_LOOKS = 30;
const POOR_SHARE = 0.08;

/**
 * Events: `change` (see `state` and `isPoor`), `restart` (a new path is wanted), `lost` (30 seconds without any).
 */
export class MediaWatch extends EventTarget {
  #peer;
  #timer = 0;
  #looks = 0;
  #silent = 0;
  #before = { received: 0, lost: 0, expected: 0 };
  #share = 0;

  /** @param {import("./peer.js").Peer} peer */
  constructor(peer) {
    super();
    this.#peer = peer;
    /** "waiting" (not there yet), "flowing", "blocked" (never came), "interrupted" (came, and is gone). */
    this.state = "waiting";
    /** Whether so much is lost on the way that it is heard. */
    this.isPoor = false;
    this.#peer.addEventListener("state", () => this.#connectionChanged());
  }

  /** From the answer on. */
  start() {
    if (this.#timer) return;
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
    this.#connectionChanged();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = -1;
  }

  #connectionChanged() {
    if (this.#timer <= 0) return;
    if (this.#peer.state === "connected") {
      this.#silent = 0;
      this.#become("flowing");
    } else if (this.#peer.state === "failed") {
      this.#seek(this.state === "waiting" || this.state === "blocked" ? "blocked" : "interrupted");
    }
  }

  async #look() {
    const counts = await this.#peer.counts().catch(() => null);
    if (!counts || this.#timer <= 0) return;
    const fresh = counts.received - this.#before.received;
    this.#weigh(counts);
    this.#before = counts;
    if (fresh > 0 && this.#peer.state === "connected") {
      this.#silent = 0;
      this.#looks = 0;
      this.#become("flowing");
      return;
    }
    this.#looks += 1;
    this.#silent += 1;
    if (this.#looks >= LOST_AFTER_LOOKS) {
      this.dispatchEvent(new Event("lost"));
    } else if (this.state === "waiting") {
      if (this.#looks >= BLOCKED_AFTER_LOOKS) this.#seek("blocked");
    } else if (this.state === "flowing") {
      if (this.#silent >= SILENT_LOOKS) this.#seek("interrupted");
    } else if (this.#looks % RESTART_EVERY_LOOKS === 0) {
      this.#seek(this.state);
    }
  }

  #seek(state) {
    this.#become(state);
    this.dispatchEvent(new Event("restart"));
  }

  #weigh(counts) {
    const expected = counts.expected - this.#before.expected;
    if (expected <= 0) return;
    const lost = Math.max(0, counts.lost - this.#before.lost) / expected;
    this.#share += 0.2 * (lost - this.#share);
    const poor = this.#share > (this.isPoor ? POOR_SHARE / 2 : POOR_SHARE);
    if (poor === this.isPoor) return;
    this.isPoor = poor;
    this.dispatchEvent(new Event("change"));
  }

  #become(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}
