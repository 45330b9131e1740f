/** Asking the server and acting: JSON over HTTP, with the session's token. See docs/reference/console-api.md. */

const UNREACHABLE = "The server cannot be reached. Look at your connection and try again.";

/** A refusal in the server's words, or that it could not be reached. */
export class ServerError extends Error {
  /**
   * @param {number} status 0 when there was no answer
   * @param {string} code the server's word for what is wrong; `unreachable` when there was no answer
   * @param {string} message a sentence for people
   * @param {number|null} waitS when to try again
   */
  constructor(status, code, message, waitS = null) {
    super(message);
    this.name = "ServerError";
    this.status = status;
    this.code = code;
    this.waitS = waitS;
  }
}

/** One signed-in browser's way to the server. */
export class Server {
  #token = null;
  /** Called when the server says that the session is over. */
  onSignedOut = () => {};

  /** Who is signed in, and what this server can do. */
  async session() {
    return this.#remember(await this.#request("GET", "/console/session"));
  }

  /** @param {{line: string, pin: string, name: string}|{password: string, name: string}} proof */
  async signIn(proof) {
    return this.#remember(await this.#request("POST", "/console/sign-in", proof));
  }

  async signOut() {
    await this.#request("POST", "/console/sign-out", {});
    this.#token = null;
  }

  /** Do something in a conference; `action` and `body` as in the reference. Throws a ServerError. */
  async act(sid, action, body = {}) {
    return this.#request("POST", `${pathOf(sid)}/${action}`, body);
  }

  async conference(sid) {
    return this.#request("GET", pathOf(sid));
  }

  /** @param {"timeline"|"attendance"|"log"|"recordings"} part */
  async ask(sid, part) {
    return this.#request("GET", `${pathOf(sid)}/${part}`);
  }

  /** How the lines are called from a phone: `{lines, address}`. */
  async phoneLines() {
    return this.#request("GET", "/phone/lines");
  }

  #remember(session) {
    this.#token = session.token;
    return session;
  }

  async #request(method, path, body) {
    const headers = { Accept: "application/json" };
    if (body) headers["Content-Type"] = "application/json";
    if (this.#token && method === "POST") headers["X-Townhall-Token"] = this.#token;
    let response;
    try {
      response = await fetch(path, {
        method,
        headers,
        body: body && JSON.stringify(body),
        credentials: "same-origin",
      });
    } catch {
      throw new ServerError(0, "unreachable", UNREACHABLE);
    }
    if (response.ok) return response.status === 204 ? null : response.json();
    const error = await readError(response);
    if (error.code === "signed-out") this.onSignedOut();
    throw error;
  }
}

/** Where a conference's file lies, such as its attendance as CSV. */
export function fileOf(sid, name) {
  return `${pathOf(sid)}/${name}`;
}

function pathOf(sid) {
  return `/console/conferences/${encodeURIComponent(sid)}`;
}

async function readError(response) {
  try {
    const { error } = await response.json();
    return new ServerError(response.status, error.code, error.message, error.wait_s);
  } catch {
    return new ServerError(response.status, "unreadable", `The server answered with HTTP ${response.status}.`);
  }
}
