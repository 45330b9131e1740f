/**
 * A phone for web pages: it calls lines of this server, is called, and knows nothing of how it looks.
 *
 *   import { Phone } from "/static/phone/phone.js";
 *   import { mountPhone } from "/static/phone/view.js";     // only for the look
 *
 *   const phone = new Phone();
 *   phone.addEventListener("change", () => show(phone.state));
 *   await phone.call("1000", { press: "3", name: "Anna" });   // from a click: browsers want one before there is sound
 *   phone.press("1");  phone.mute(true);  phone.hangUp();
 *   mountPhone(element, phone, { lines: [{ number: "1000", name: "Open house", keys: { 1: "Listen" } }] });
 *
 * Nothing throws: what goes wrong is `state.problem`, in words (problems.js), and `call` tells by its result. A page
 * has one Phone; two would be two callers. It needs the style sheets shared/tokens.css, shared/base.css and
 * phone/phone.css only if it is mounted.
 */

import { Memory } from "./memory.js";
import { Problem } from "./problems.js";
import { Sound } from "./sound.js";
import { Tokens } from "./tokens.js";
import { Voice } from "./voice.js";

/**
 * @typedef {object} PhoneState
 * @property {"idle"|"preparing"|"calling"|"ringing"|"incoming"|"connected"} status  preparing: microphone and token
 * @property {"out"|"in"} direction
 * @property {string} number        who is called or calls; after the call, who it was
 * @property {number|null} since    when it was answered, as `performance.now()`
 * @property {number} seconds       how long the last call was, once it is over; 0: it was not answered
 * @property {"us"|"them"|"fault"|null} endedBy   how the last call ended
 * @property {boolean} muted
 * @property {boolean} listenOnly   called without a microphone
 * @property {"none"|"waiting"|"flowing"|"blocked"|"interrupted"} sound
 * @property {boolean} reconnecting the call stands, the line to the server is being made again
 * @property {boolean} poor         so much sound is lost on the way that it is heard
 * @property {boolean} receiving    whether this page may be called
 * @property {string|null} identity who this page is to the server; others dial `client:` and this
 * @property {string|null} callSid  of the call that is going on, once the server has told it
 * @property {Problem|null} problem what went wrong, until the next call
 */

/** Events: `change` (something of `state` is different), `pressed` (detail: the digits), `devices`. */
export class Phone extends EventTarget {
  #voice;
  #memory = new Memory("townhall.phone");
  #sound;
  #preparing = null;
  #state;

  /**
   * @param {object} [options]
   * @param {string} [options.tokenPath]  where this page gets its tokens
   * @param {HTMLAudioElement} [options.audio]  what plays the call
   */
  constructor({ tokenPath = "/phone/token", audio = new Audio() } = {}) {
    super();
    this.#sound = new Sound(audio, this.#memory);
    this.#voice = new Voice(new Tokens(tokenPath));
    this.#state = Object.freeze({
      status: "idle", direction: "out", number: "", since: null, seconds: 0, endedBy: null, muted: false,
      listenOnly: false, sound: "none", reconnecting: false, poor: false, receiving: false, identity: null,
      callSid: null, problem: null,
    }); // prettier-ignore
    this.#voice.addEventListener("incoming", ({ detail }) => this.#rings(detail));
    this.#voice.addEventListener("link", () => this.#update({ identity: this.#voice.identity }));
    this.#voice.addEventListener("refused", ({ detail }) => this.#update({ problem: detail, receiving: false }));
    this.#sound.addEventListener("gone", () => void this.#microphoneGone());
    this.#sound.addEventListener("blocked", () => this.#update({ problem: new Problem("playback-blocked") }));
    this.#sound.addEventListener("playing", () => this.#update({ problem: null }));
    this.#sound.addEventListener("opened", () => this.dispatchEvent(new Event("devices")));
    this.#sound.addEventListener("devices", () => this.#devicesChanged());
    addEventListener("pagehide", () => this.#voice.leave());
  }

  /** @returns {Readonly<PhoneState>} */
  get state() {
    return this.#state;
  }

  /** Whether there is a call, or one is being made. */
  get isBusy() {
    return this.#state.status !== "idle";
  }

  /**
   * Call a number.
   *
   * @param {string} number
   * @param {object} [options]
   * @param {string} [options.press]  digits to send once there is sound; a comma waits two seconds
   * @param {string} [options.name]   shown to the moderators
   * @param {boolean} [options.listenOnly]  without a microphone
   * @param {Record<string, string>} [options.params]  more for the application
   * @returns {Promise<boolean>} whether the call is on its way; if not, see `state.problem`
   */
  async call(number, { press = "", name = "", listenOnly = false, params = {} } = {}) {
    if (this.isBusy) return false;
    this.#update({
      status: "preparing", direction: "out", number, since: null, endedBy: null, muted: false, listenOnly,
      problem: null,
    }); // prettier-ignore
    const preparing = (this.#preparing = {});
    try {
      await this.#prepare(listenOnly);
      if (this.#preparing !== preparing) return this.#rest();
      const call = this.#voice.dial(number);
      this.#follow(call);
      if (press) call.press(press);
      await call.start(this.#sound.track, { ...params, To: number, ...(name ? { Name: name } : {}) });
      return !call.isOver;
    } catch (fault) {
      if (this.#preparing === preparing) this.#failed(fault);
      return this.#rest();
    }
  }

  /** Take the call that comes in. */
  async answer({ listenOnly = false } = {}) {
    const call = this.#voice.call;
    if (this.#state.status !== "incoming" || !call) return false;
    this.#sound.quiet();
    this.#update({ listenOnly, muted: false, problem: null });
    try {
      await this.#sound.open({ listenOnly });
      await call.answer(this.#sound.track);
      return !call.isOver;
    } catch (fault) {
      this.#update({ problem: asProblem(fault) });
      return false;
    }
  }

  /** Hang up, give up calling, or refuse the call that comes in. */
  hangUp() {
    const call = this.#voice.call;
    if (call) {
      call.hangUp();
    } else if (this.#preparing) {
      this.#preparing = null;
      this.#sound.close();
      this.#update({ status: "idle", endedBy: "us", seconds: 0 });
    }
  }

  /** @param {string} digits  0-9 * #, and a comma for two seconds' pause */
  press(digits) {
    const clean = digits.replace(/[^0-9*#,]/g, "");
    if (!clean || !this.#voice.call || this.#state.status === "incoming") return;
    this.#voice.call.press(clean);
    this.dispatchEvent(new CustomEvent("pressed", { detail: clean }));
  }

  /** @param {boolean} on  whether the others no longer hear you */
  mute(on) {
    if (!this.isBusy) return;
    if (this.#sound.track) this.#sound.track.enabled = !on;
    this.#update({ muted: on });
  }

  /** @returns {{own: number, others: number}} 0 to 1, for meters; `own` also while muted */
  levels() {
    return this.#sound.levels();
  }

  /** Whether this page may be called, as `client:` and its identity. */
  async receive(on) {
    this.#sound.wake();
    this.#update({ receiving: on, problem: null });
    try {
      await this.#voice.receive(on);
      this.#update({ identity: this.#voice.identity });
    } catch (fault) {
      await this.#voice.receive(false).catch(() => null);
      this.#update({ receiving: false, problem: asProblem(fault) });
    }
  }

  /** @returns {Promise<object>} `microphones` and `speakers` ({id, name}); `microphone` and `speaker`: the ids in use */
  devices() {
    return this.#sound.devices();
  }

  /** Open the microphone without a call, so that its level is seen; `stopTest` closes it. */
  async testMicrophone() {
    this.#update({ problem: null });
    try {
      await this.#sound.open();
      return true;
    } catch (fault) {
      this.#update({ problem: asProblem(fault) });
      return false;
    }
  }

  stopTest() {
    if (!this.isBusy) this.#sound.close();
  }

  /** Speak into another microphone, now and in later calls. */
  async chooseMicrophone(id) {
    this.#memory.set("microphone", id);
    if (this.#sound.isOpen) await this.#reopen();
  }

  /** Be heard on another loudspeaker, now and in later calls. */
  async chooseSpeaker(id) {
    this.#memory.set("speaker", id);
    await this.#sound.useSpeaker();
  }

  /** What the page remembers for the next visit: `name`, `line`. */
  get memory() {
    return this.#memory;
  }

  // ---- a call's life ----

  #rings(call) {
    this.#update({ direction: "in", number: call.number, since: null, endedBy: null, problem: null, listenOnly: false });
    this.#follow(call);
    this.#sound.ring("incoming");
  }

  #follow(call) {
    this.#preparing = null;
    call.addEventListener("change", () => this.#callChanged(call));
    call.addEventListener("stream", ({ detail }) => this.#sound.play(detail));
    call.addEventListener("over", ({ detail }) => this.#over(call, detail));
    this.#callChanged(call);
  }

  #callChanged(call) {
    if (call !== this.#voice.call) return;
    const status = { connecting: "calling", ringing: "ringing", incoming: "incoming", open: "connected" }[call.status];
    if (status === "ringing" && !this.#sound.isPlaying) this.#sound.ring("outgoing");
    if (status === "connected") this.#sound.quiet();
    const sound = status === "connected" ? call.media.state : "none";
    this.#update({
      status, sound, since: call.openedAt, reconnecting: call.isDetached, poor: call.media?.isPoor ?? false,
      callSid: call.id.startsWith("CA") ? call.id : null,
      problem: sound === "blocked" ? new Problem("media-blocked", { places: call.places }) : this.#lasting(),
    }); // prettier-ignore
  }

  /** The problem that a change of the call does not end. */
  #lasting() {
    const { problem } = this.#state;
    return problem?.code === "media-blocked" ? null : problem;
  }

  #over(call, problem) {
    this.#sound.play(null);
    this.#sound.close();
    const seconds = call.openedAt === null ? 0 : Math.max(1, Math.round((call.endedAt - call.openedAt) / 1000));
    this.#update({
      status: "idle", sound: "none", since: null, seconds, endedBy: call.endedBy, reconnecting: false, poor: false,
      muted: false, callSid: null, problem,
    }); // prettier-ignore
  }

  #failed(fault) {
    this.#preparing = null;
    this.#sound.close();
    this.#update({ status: "idle", endedBy: "fault", seconds: 0, problem: asProblem(fault) });
  }

  /** Microphone and server at once; the first fault is thrown. */
  async #prepare(listenOnly) {
    const ready = this.#voice.ready();
    ready.then(() => this.#rest(), () => null); // prettier-ignore
    await this.#sound.open({ listenOnly });
    await ready;
  }

  /** Nothing comes of a call that was being prepared: let go of what was opened for it meanwhile. */
  #rest() {
    if (!this.isBusy) {
      this.#sound.close();
      this.#voice.rest();
    }
    return false;
  }

  async #reopen() {
    const { muted } = this.#state;
    try {
      await this.#sound.open({ muted });
      await this.#voice.call?.replace(this.#sound.track);
      this.#update({ listenOnly: false, problem: null });
    } catch (fault) {
      this.#update({ problem: asProblem(fault) });
    }
  }

  async #microphoneGone() {
    if (!this.#voice.call) return;
    await this.#reopen();
    if (this.#state.problem) this.#update({ problem: new Problem("microphone-lost") });
  }

  #devicesChanged() {
    if (this.#state.problem?.code === "microphone-lost") void this.#reopen();
    this.dispatchEvent(new Event("devices"));
  }

  #update(changes) {
    const changed = Object.entries(changes).some(([name, value]) => this.#state[name] !== value);
    if (!changed) return;
    this.#state = Object.freeze({ ...this.#state, ...changes });
    this.dispatchEvent(new Event("change"));
  }
}

function asProblem(fault) {
  return fault instanceof Problem ? fault : new Problem("unknown", { message: String(fault?.message ?? fault) });
}
