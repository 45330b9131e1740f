/**
 * One call in the Voice SDK's signalling: what is said for it on the socket, and its sound.
 *
 * A call lives through dropped sockets (it is attached to the next one with the `reconnect` string that the server
 * gave) and through changed networks (an ICE restart by `reinvite`).
 */

import { MediaWatch } from "./media.js";
import { Peer } from "./peer.js";
import { Problem, problemOf } from "./problems.js";

/**
 * Events: `change`, `stream` (detail: the MediaStream that is heard), `over` (detail: the Problem it ended with, or
 * null; see `endedBy`).
 */
export class Call extends EventTarget {
  #send;
  #peer = null;
  #offered = "";
  #reconnect = null;
  #waiting = "";
  #attaching = false;

  /**
   * @param {(type: string, payload: object) => boolean} send  false: the socket is down
   * @param {{direction: "out"|"in", number: string, id: string, offer?: string, reconnect?: string}} facts
   */
  constructor(send, { direction, number, id, offer = "", reconnect = null }) {
    super();
    this.#send = send;
    this.#offered = offer;
    this.#reconnect = reconnect;
    this.direction = direction;
    this.number = number;
    /** CA…, once the server has told it; until then the TJS… that we made up. */
    this.id = id;
    /** "connecting", "ringing", "incoming", "open", "over" */
    this.status = direction === "in" ? "incoming" : "connecting";
    /** When it was answered, by the page's clock (`performance.now()`). */
    this.openedAt = null;
    this.endedAt = null;
    /** "us", "them" or "fault", once it is over. */
    this.endedBy = null;
    this.media = null;
  }

  get isOver() {
    return this.status === "over";
  }

  /** Whether its socket is gone at the moment. */
  get isDetached() {
    return this.#attaching;
  }

  /** Where the server takes sound, as it says. */
  get places() {
    return this.#peer?.places ?? [];
  }

  /** Call out: `params` are what the application gets beside the number. */
  async start(track, params) {
    const sdp = await this.#described(track, (peer) => peer.offer());
    if (!sdp) return;
    const query = Object.entries(params).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
    const sent = this.#send("invite", { callsid: this.id, sdp, twilio: { params: query.join("&") } });
    if (!sent) this.finish(new Problem("server-unreachable"), "fault");
  }

  /** Take a call that comes in. */
  async answer(track) {
    if (this.status !== "incoming") return;
    const sdp = await this.#described(track, (peer) => peer.answer(this.#offered));
    if (!sdp) return;
    this.#send("answer", { callsid: this.id, sdp });
    this.#open();
  }

  /** End it from here, whatever its state. */
  hangUp() {
    if (this.isOver) return;
    this.#send(this.status === "incoming" ? "reject" : "hangup", { callsid: this.id });
    this.finish(null, "us");
  }

  /** Send digits: with the sound, else by signalling; before there is sound they wait for it. */
  press(digits) {
    if (this.isOver) return;
    if (this.media?.state !== "flowing") {
      this.#waiting = (this.#waiting + digits).slice(0, 64);
    } else if (!this.#peer.press(digits)) {
      this.#send("dtmf", { callsid: this.id, dtmf: digits.replaceAll(",", "wwww") });
    }
  }

  /** Send another track from now on. */
  async replace(track) {
    await this.#peer?.replace(track);
  }

  /** What the server says of this call. */
  async take(type, payload) {
    if (payload.reconnect) this.#reconnect = payload.reconnect;
    if (type === "ringing") {
      await this.#ringing(payload);
    } else if (type === "answer") {
      await this.#answered(payload);
    } else if (type === "cancel") {
      this.finish(null, "them");
    } else if (type === "hangup") {
      const problem = payload.error ? problemOf(payload.error, this.number) : null;
      this.finish(problem, problem ? "fault" : "them");
    }
  }

  /** The socket is gone. */
  detach() {
    if (this.isOver) return;
    if (this.status === "incoming") {
      this.finish(null, "them");
    } else if (this.status !== "open" || !this.#reconnect) {
      this.finish(new Problem("server-unreachable", { offline: navigator.onLine === false }), "fault");
    } else {
      this.#attaching = true;
      this.#changed();
    }
  }

  /** There is a socket again: take the call over to it. */
  attach() {
    if (this.isOver || !this.#attaching) return;
    this.#send("invite", { callsid: this.id, reconnect: this.#reconnect, sdp: this.#peer.sdp, twilio: {} });
  }

  /** It is over, and nothing more is said of it. */
  finish(problem, by) {
    if (this.isOver) return;
    this.status = "over";
    this.endedAt = performance.now();
    this.endedBy = by;
    this.media?.stop();
    this.#peer?.close();
    this.dispatchEvent(new CustomEvent("over", { detail: problem }));
  }

  async #ringing(payload) {
    if (this.status !== "connecting") return;
    this.id = payload.callsid ?? this.id;
    this.status = "ringing";
    this.#changed();
    if (payload.sdp && (await this.#accepted(payload.sdp))) this.media.start();
  }

  async #answered(payload) {
    if (this.#attaching) {
      this.#attaching = false;
      this.#changed();
      if (this.media.state !== "flowing") await this.#restart();
      return;
    }
    if (this.isOver || (payload.sdp && !(await this.#accepted(payload.sdp)))) return;
    if (this.status === "connecting" || this.status === "ringing") {
      this.id = payload.callsid ?? this.id;
      this.#open();
    }
  }

  async #accepted(sdp) {
    await this.#guarded(() => this.#peer.take(sdp));
    return !this.isOver;
  }

  /** Our description for a call that begins; nothing if it is over before. */
  async #described(track, describe) {
    if (!globalThis.RTCPeerConnection) {
      this.finish(new Problem("unsupported"), "fault");
      return "";
    }
    const sdp = await this.#guarded(() => {
      this.#makePeer(track);
      return describe(this.#peer);
    });
    return this.isOver ? "" : sdp;
  }

  /** What the browser cannot do ends the call. */
  async #guarded(act) {
    try {
      return await act();
    } catch (fault) {
      if (!this.isOver) {
        this.#send("hangup", { callsid: this.id });
        this.finish(new Problem("unknown", { message: String(fault?.message ?? fault) }), "fault");
      }
      return "";
    }
  }

  #open() {
    this.status = "open";
    this.openedAt = performance.now();
    this.media.start();
    this.#changed();
  }

  #makePeer(track) {
    this.#peer = new Peer(track);
    this.#peer.addEventListener("stream", ({ detail }) => this.dispatchEvent(new CustomEvent("stream", { detail })));
    this.media = new MediaWatch(this.#peer);
    this.media.addEventListener("change", () => this.#mediaChanged());
    this.media.addEventListener("restart", () => void this.#restart());
    this.media.addEventListener("lost", () => this.#lost());
  }

  #mediaChanged() {
    if (this.media.state === "flowing" && this.#waiting) {
      const digits = this.#waiting;
      this.#waiting = "";
      this.press(digits);
    }
    this.#changed();
  }

  async #restart() {
    if (this.status !== "open" || this.#attaching) return;
    const sdp = await this.#peer.restart().catch(() => "");
    if (sdp && this.status === "open") this.#send("reinvite", { callsid: this.id, sdp });
  }

  #lost() {
    this.#send("hangup", { callsid: this.id });
    const blocked = this.media.state === "blocked";
    this.finish(new Problem(blocked ? "media-blocked" : "media-lost", { places: this.places }), "fault");
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
