/**
 * The page's end of the Voice SDK's signalling: one socket, one identity, at most one call.
 *
 * The socket is there while it is needed: during a call, and while the page may be called. Tokens are renewed before
 * they run out, with the same identity.
 */

import { Call } from "./call.js";
import { Problem, problemOf } from "./problems.js";
import { Signal } from "./signal.js";

const MOST_ATTEMPTS = 3;
const RENEW_BEFORE_S = 60;
const RENEW_AGAIN_MS = 10_000;
const REGISTER_EVERY_MS = 30_000;

/** Events: `incoming` (detail: the Call), `link` (the socket is up or down, see `isUp`), `refused` (detail: Problem). */
export class Voice extends EventTarget {
  #tokens;
  #signal = null;
  #receiving = false;
  #renewal = 0;
  #registration = 0;
  #secondToken = false;

  /** @param {import("./tokens.js").Tokens} tokens */
  constructor(tokens) {
    super();
    this.#tokens = tokens;
    /** @type {Call|null} the call that is going on, or coming in */
    this.call = null;
  }

  get isUp() {
    return this.#signal?.isUp ?? false;
  }

  get identity() {
    return this.#tokens.identity;
  }

  /**
   * Make ready to call: get a token, open the socket.
   *
   * @throws {Problem} server-unreachable, too-many, token-refused
   */
  async ready() {
    if (this.isUp) return;
    if (!this.#signal) await this.#openSignal();
    await this.#cameUp();
  }

  /** @returns {Call} a call out that is not started yet */
  dial(number) {
    return this.#keep({ direction: "out", number, id: `TJS${crypto.randomUUID?.() ?? randomId()}` });
  }

  /** Whether this page may be called from now on. Throws as `ready`. */
  async receive(on) {
    this.#receiving = on;
    if (on) await this.ready();
    else this.#signal?.send("register", { media: { audio: false } });
    this.#register();
    this.rest();
  }

  /** Hang up and close the socket at once, as the page is leaving. */
  leave() {
    this.#receiving = false;
    this.call?.hangUp();
    this.#closeSignal();
  }

  async #openSignal() {
    const { token, url, expiresInS } = await this.#tokens.fresh();
    this.#secondToken = false;
    this.#renewAfter(expiresInS);
    if (this.#signal) return;
    const signal = (this.#signal = new Signal(url, token));
    signal.addEventListener("up", ({ detail }) => this.#up(detail));
    signal.addEventListener("down", () => this.#down());
    signal.addEventListener("message", ({ detail }) => void this.#take(detail));
    signal.addEventListener("refused", ({ detail }) => void this.#refused(detail));
    signal.open();
  }

  async #cameUp() {
    if (this.isUp) return;
    await new Promise((resolve, reject) => {
      const watch = new AbortController();
      const done = (end, value) => {
        watch.abort();
        end(value);
      };
      const linked = () => {
        if (this.isUp) return done(resolve);
        if (this.#signal && this.#signal.failures < MOST_ATTEMPTS) return;
        if (!this.#receiving) this.#closeSignal(true);
        done(reject, new Problem("server-unreachable", { offline: navigator.onLine === false }));
      };
      this.addEventListener("link", linked, { signal: watch.signal });
      this.addEventListener("refused", ({ detail }) => done(reject, detail), { signal: watch.signal });
    });
  }

  #keep(facts) {
    const call = new Call((type, payload) => this.#signal?.send(type, payload) ?? false, facts);
    this.call = call;
    call.addEventListener("over", () => {
      if (this.call === call) this.call = null;
      this.rest();
    });
    return call;
  }

  #up(payload) {
    if (payload.token?.ttl) this.#renewAfter(Number(payload.token.ttl));
    this.#secondToken = false;
    this.call?.attach();
    this.#register();
    this.dispatchEvent(new Event("link"));
  }

  #down() {
    this.call?.detach();
    this.dispatchEvent(new Event("link"));
  }

  async #take({ type, payload }) {
    if (type === "invite") {
      this.#invited(payload);
    } else if (this.call && (!payload.callsid || payload.callsid === this.call.id || isFirstWord(type, this.call))) {
      await this.call.take(type, payload);
    }
  }

  #invited({ callsid, sdp, parameters = {}, reconnect }) {
    if (typeof callsid !== "string" || typeof sdp !== "string") return;
    if (this.call) {
      if (callsid !== this.call.id) this.#signal?.send("reject", { callsid });
      return;
    }
    const number = String(parameters.From ?? "").replace(/^client:/, "");
    const detail = this.#keep({ direction: "in", number, id: callsid, offer: sdp, reconnect });
    this.dispatchEvent(new CustomEvent("incoming", { detail }));
  }

  /** The token was refused. Perhaps it was only too old (the machine slept): once, another one is tried. */
  async #refused(error) {
    this.#closeSignal(true);
    if (this.call?.status === "open") this.call.detach();
    if (!this.#secondToken) {
      try {
        await this.#openSignal();
        this.#secondToken = true;
        return;
      } catch (fault) {
        error = fault;
      }
    }
    const problem = error instanceof Problem ? error : problemOf({ code: 31204, ...error });
    this.call?.finish(problem, "fault");
    this.dispatchEvent(new CustomEvent("refused", { detail: problem }));
  }

  #register() {
    clearInterval(this.#registration);
    if (!this.isUp || !this.#receiving) return;
    const say = () => this.#signal?.send("register", { media: { audio: true } });
    this.#registration = setInterval(say, REGISTER_EVERY_MS);
    say();
  }

  #renewAfter(seconds) {
    clearTimeout(this.#renewal);
    const wait = Math.max(seconds - RENEW_BEFORE_S, seconds * 0.6) * 1000;
    this.#renewal = setTimeout(() => void this.#renew(), wait);
  }

  async #renew() {
    try {
      const { token, expiresInS } = await this.#tokens.fresh();
      this.#signal?.renew(token);
      this.#renewAfter(expiresInS);
    } catch {
      this.#renewal = setTimeout(() => void this.#renew(), RENEW_AGAIN_MS);
    }
  }

  /** Close the socket if nothing needs it. */
  rest() {
    if (!this.call && !this.#receiving) this.#closeSignal();
  }

  #closeSignal(goesOn = false) {
    clearTimeout(this.#renewal);
    clearInterval(this.#registration);
    this.#signal?.close();
    this.#signal = null;
    if (!goesOn) this.dispatchEvent(new Event("link"));
  }
}

/** `ringing` and `answer` bring the name that the server gives a call which it knows by ours until then. */
function isFirstWord(type, call) {
  return (type === "ringing" || type === "answer") && call.id.startsWith("TJS");
}

/** Browsers make UUIDs only for safe pages. */
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
