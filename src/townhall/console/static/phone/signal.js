/**
 * The WebSocket that carries the Voice SDK's signalling: JSON text frames, a heartbeat, and a new socket when one
 * drops. What the messages mean is `voice.js`'s affair.
 *
 * The server sends "\n" every few seconds and gets one back; silence for 15 seconds means that the socket is dead,
 * whatever the browser believes.
 */

const VERSION = "1.6";
const SILENCE_MS = 15_000;
const OPEN_WITHIN_MS = 5_000;
const FIRST_DELAY_MS = 150;
const LONGEST_DELAY_MS = 5_000;
const LONGEST_FRAME = 256 * 1024;
/** How long the server is asked to keep a call whose socket is gone. */
const KEEP_CALL_S = 30;

/**
 * Events: `up` (detail: the payload of `connected`), `down`, `message` (detail: {type, payload}), `refused` (detail:
 * the server's {code, message}; there will be no further attempt).
 */
export class Signal extends EventTarget {
  #url;
  #token;
  #socket = null;
  #over = false;
  #failures = 0;
  #refusal = null;
  #silence = 0;
  #opening = 0;
  #retry = 0;
  #wake = () => this.#retryNow();

  /** @param {string} url  ws: or wss:   @param {string} token */
  constructor(url, token) {
    super();
    this.#url = url;
    this.#token = token;
    /** Whether the server has taken the token on the socket that is open now. */
    this.isUp = false;
    addEventListener("online", this.#wake);
    document.addEventListener("visibilitychange", this.#wake);
  }

  /** Attempts in a row that led to nothing. */
  get failures() {
    return this.#failures;
  }

  open() {
    if (this.#over || this.#socket) return;
    clearTimeout(this.#retry);
    this.#retry = 0;
    let socket;
    try {
      socket = new WebSocket(this.#url);
    } catch {
      this.#later();
      return;
    }
    this.#socket = socket;
    socket.onopen = () => {
      clearTimeout(this.#opening);
      this.#heard();
      this.#listen();
    };
    socket.onmessage = (event) => socket === this.#socket && this.#read(event.data);
    socket.onclose = () => this.#drop(socket);
    this.#opening = setTimeout(() => this.#drop(socket), OPEN_WITHIN_MS);
  }

  /** Send one message; false: the socket is down and it was not sent. */
  send(type, payload) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify({ type, version: VERSION, payload }));
    return true;
  }

  /** Go on with another token, on this socket and on later ones. */
  renew(token) {
    this.#token = token;
    if (this.isUp) this.#listen();
  }

  close() {
    this.#over = true;
    this.isUp = false;
    clearTimeout(this.#silence);
    clearTimeout(this.#opening);
    clearTimeout(this.#retry);
    removeEventListener("online", this.#wake);
    document.removeEventListener("visibilitychange", this.#wake);
    this.#socket?.close();
    this.#socket = null;
  }

  #listen() {
    const browser = { platform: navigator.platform ?? "", userAgent: navigator.userAgent };
    this.send("listen", {
      token: this.#token,
      browserinfo: { browser, p: "browser", plugin: "rtc", v: "townhall" },
      reconnectTimeout: KEEP_CALL_S,
    });
  }

  #read(data) {
    if (typeof data !== "string" || data.length > LONGEST_FRAME) return;
    this.#heard();
    if (data === "\n") {
      this.#socket.send("\n");
      return;
    }
    const message = parsed(data);
    if (!message) return;
    const payload = message.payload ?? {};
    if (message.type === "connected") {
      this.#failures = 0;
      this.isUp = true;
      this.#tell("up", payload);
    } else if (message.type === "close") {
      this.#refuse();
    } else {
      if (message.type === "error" && !payload.callsid) this.#refusal = payload.error ?? {};
      this.#tell("message", { type: message.type, payload });
    }
  }

  #refuse() {
    const refusal = this.#refusal ?? {};
    this.close();
    this.#tell("refused", refusal);
  }

  #heard() {
    clearTimeout(this.#silence);
    const socket = this.#socket;
    this.#silence = setTimeout(() => this.#drop(socket), SILENCE_MS);
  }

  #drop(socket) {
    if (socket !== this.#socket || this.#over) return;
    clearTimeout(this.#silence);
    clearTimeout(this.#opening);
    this.#socket = null;
    this.isUp = false;
    socket.close();
    this.#failures += 1;
    this.#later();
    this.#tell("down", null);
  }

  #later() {
    const delay = Math.min(FIRST_DELAY_MS * 2 ** Math.min(this.#failures, 10), LONGEST_DELAY_MS);
    this.#retry = setTimeout(() => this.open(), delay * (0.6 + 0.4 * Math.random()));
  }

  #retryNow() {
    if (this.#retry && document.visibilityState === "visible") this.open();
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function parsed(text) {
  try {
    const message = JSON.parse(text);
    return typeof message?.type === "string" ? message : null;
  } catch {
    return null;
  }
}
