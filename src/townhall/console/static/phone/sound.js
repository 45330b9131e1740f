/** A page's sound: the microphone that is sent, the stream that is played, their levels, ringing, the devices. */

import { Level } from "./levels.js";
import { listDevices, openMicrophone, silence } from "./microphone.js";
import { Ringer } from "./ringer.js";

/**
 * Events: `opened`, `gone` (the microphone was unplugged), `devices` (plugged or unplugged), `blocked` (the browser
 * plays nothing), `playing`.
 */
export class Sound extends EventTarget {
  #audio;
  #memory;
  #context = null;
  #own = null;
  #others = null;
  #ringer = null;
  #microphone = null;

  /**
   * @param {HTMLAudioElement} audio  what plays
   * @param {import("./memory.js").Memory} memory  keeps which `microphone` and `speaker` were chosen
   */
  constructor(audio, memory) {
    super();
    this.#audio = audio;
    this.#memory = memory;
    audio.autoplay = true;
    /** @type {MediaStreamTrack|null} what is to be sent */
    this.track = null;
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.dispatchEvent(new Event("devices")));
  }

  get isOpen() {
    return this.#microphone !== null;
  }

  get isPlaying() {
    return this.#audio.srcObject !== null;
  }

  /** From a click: browsers let a page be heard, and measure, only then. */
  wake() {
    if (!this.#context) {
      this.#context = new AudioContext();
      this.#own = new Level(this.#context);
      this.#others = new Level(this.#context);
      this.#ringer = new Ringer(this.#context);
    }
    if (this.#context.state === "suspended") this.#context.resume().catch(() => null);
  }

  /**
   * Open the chosen microphone, or silence, in place of what is open.
   *
   * What is sent is a copy of its track: that can be muted while the meter goes on, so that a page can say "you are
   * muted" to somebody who speaks.
   *
   * @throws {import("./problems.js").Problem} see openMicrophone
   */
  async open({ listenOnly = false, muted = false } = {}) {
    this.wake();
    const microphone = listenOnly ? silence(this.#context) : await openMicrophone(this.#memory.get("microphone", ""));
    this.close();
    this.#microphone = microphone;
    const [track] = microphone.getAudioTracks();
    track.addEventListener("ended", () => microphone === this.#microphone && this.dispatchEvent(new Event("gone")));
    this.track = track.clone();
    this.track.enabled = !muted;
    this.#own.listen(microphone);
    this.dispatchEvent(new Event("opened"));
  }

  close() {
    this.#own?.listen(null);
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
    this.track?.stop();
    this.#microphone = null;
    this.track = null;
  }

  /** @returns {{own: number, others: number}} 0 to 1 */
  levels() {
    return { own: this.#own?.read() ?? 0, others: this.#others?.read() ?? 0 };
  }

  /** @param {MediaStream|null} stream  what is heard from now on */
  play(stream) {
    this.quiet();
    this.#audio.srcObject = stream;
    if (stream) this.wake();
    this.#others?.listen(stream);
    if (!stream) return;
    void this.useSpeaker();
    this.#audio.play().catch((fault) => {
      if (fault?.name !== "NotAllowedError") return;
      this.dispatchEvent(new Event("blocked"));
      const played = () => this.dispatchEvent(new Event("playing"));
      addEventListener("pointerup", () => this.#audio.play().then(played, () => null), { once: true });
    });
  }

  /** @param {"outgoing"|"incoming"} name */
  ring(name) {
    this.#ringer?.ring(name);
  }

  quiet() {
    this.#ringer?.stop();
  }

  /** Be heard on the chosen loudspeaker, or on the system's own when that is gone. */
  async useSpeaker() {
    const id = this.#memory.get("speaker", "");
    if ((this.#audio.sinkId ?? "") !== id) await this.#audio.setSinkId?.(id).catch(() => null);
  }

  /** @returns what listDevices does, and `microphone`, `speaker`: the ids in use, "" for the system's choice */
  async devices() {
    const found = await listDevices();
    const wished = this.#memory.get("microphone", "");
    const used = this.#microphone?.getAudioTracks()[0]?.getSettings().deviceId ?? "";
    const known = (id) => found.microphones.some((device) => device.id === id);
    const microphone = known(used) ? used : known(wished) ? wished : "";
    return { ...found, microphone, speaker: this.#memory.get("speaker", "") };
  }
}
