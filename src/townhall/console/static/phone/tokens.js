/**
 * Access tokens for this page, from the server's `POST /phone/token`: the first one, and the next before it runs out.
 */

import { Problem } from "./problems.js";

const ANSWER_WITHIN_MS = 10_000;

export class Tokens {
  #path;
  #token = null;

  /** @param {string} path  where tokens are given */
  constructor(path = "/phone/token") {
    this.#path = path;
    /** Who this page is to the server, such as `web_5f3a…`; null before the first token. */
    this.identity = null;
  }

  /**
   * A new token, with the identity of the one before.
   *
   * @returns {Promise<{token: string, identity: string, expiresInS: number, url: string}>} `url`: the signalling's
   * @throws {Problem} server-unreachable, too-many, token-refused
   */
  async fresh() {
    const answer = await this.#ask();
    const given = await answer.json().catch(() => null);
    if (!answer.ok || typeof given?.token !== "string") throw refusalOf(answer, given);
    this.#token = given.token;
    this.identity = given.identity ?? null;
    return {
      token: given.token,
      identity: this.identity,
      expiresInS: Number(given.expires_in_s) || 600,
      url: socketUrl(given.signal ?? "/signal"),
    };
  }

  async #ask() {
    try {
      return await fetch(this.#path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(this.#token ? { token: this.#token } : {}),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
    } catch {
      throw new Problem("server-unreachable", { offline: navigator.onLine === false });
    }
  }
}

function refusalOf(answer, given) {
  const message = given?.error?.message ?? "";
  if (answer.status === 429) {
    return new Problem("too-many", { waitS: Number(given?.error?.wait_s ?? answer.headers.get("Retry-After")) || null });
  }
  if (answer.status >= 500) return new Problem("server-unreachable");
  return new Problem("token-refused", { message });
}

/** @param {string} path  of the signalling, on this page's own origin or with one of its own */
export function socketUrl(path) {
  const url = new URL(path, location.href);
  if (url.protocol === "http:") url.protocol = "ws:";
  if (url.protocol === "https:") url.protocol = "wss:";
  return url.href;
}
