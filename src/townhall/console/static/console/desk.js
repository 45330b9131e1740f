/**
 * What every part of the page shares: the state, the server, who is signed in, which conference is looked at, the
 * server's time, and acting with a word when it fails.
 */

import { emptyState } from "./store.js";
import { Server } from "./server.js";
import { tell, warn } from "./telling.js";

export class Desk {
  state = emptyState();
  server = new Server();
  /** The answer of `/console/session`. */
  session = { signed_in: false, name: null, role: null, line: null, lines: [], capabilities: {} };
  /** The conference that is looked at, by SID; null: the overview. */
  sid = null;
  /** How lines are called: `{lines, address}` of `/phone/lines`. */
  phones = { lines: [], address: null };

  #aheadMs = 0;

  /** The room that is looked at, or undefined. */
  get room() {
    return this.state.rooms.get(this.sid);
  }

  /** What this server can do; the stream knows it best. */
  get capabilities() {
    return this.state.capabilities;
  }

  /** The server's time, in milliseconds. */
  now() {
    return Date.now() + this.#aheadMs;
  }

  /**
   * Set our clock by the server's. Small differences are the network's and are left alone, so that no clock on the
   * page jumps.
   */
  setClock(serverMs) {
    const ahead = serverMs - Date.now();
    if (Math.abs(ahead - this.#aheadMs) > 400) this.#aheadMs = ahead;
  }

  /**
   * Act in the conference that is looked at. What it did comes by the stream; a refusal is told here.
   *
   * @returns {Promise<boolean>} whether it was done
   */
  async act(action, body = {}) {
    try {
      const { failed } = await this.server.act(this.sid, action, body);
      for (const { message } of failed ?? []) warn(message);
      return true;
    } catch (error) {
      warn(error.waitS ? `${error.message} Try again in ${Math.ceil(error.waitS)} s.` : error.message);
      return false;
    }
  }

  tell(words) {
    tell(words);
  }
}
