/**
 * One call's sound: an RTCPeerConnection with one audio line, Opus first.
 *
 * Offers leave at once and without candidates: the server names its own and learns the browser's from its checks
 * (RFC 8445, peer-reflexive), so there is nothing to trickle.
 */

const WANTED = ["audio/opus", "audio/pcmu", "audio/pcma", "audio/telephone-event"];
const TONE_MS = 160;
const GAP_MS = 70;

/** Events: `state` (see `state`), `stream` (detail: the MediaStream that is heard). */
export class Peer extends EventTarget {
  #connection = new RTCPeerConnection();
  #transceiver = null;
  #track;

  /** @param {MediaStreamTrack} track  what is sent */
  constructor(track) {
    super();
    this.#track = track;
    /** Where the server takes sound: [{address, port}], from its description. */
    this.places = [];
    this.#connection.onconnectionstatechange = () => this.dispatchEvent(new Event("state"));
    this.#connection.ontrack = ({ streams, track: heard }) => {
      const stream = streams[0] ?? new MediaStream([heard]);
      this.dispatchEvent(new CustomEvent("stream", { detail: stream }));
    };
  }

  /** "new", "connecting", "connected", "disconnected", "failed" or "closed", as the browser calls it. */
  get state() {
    return this.#connection.connectionState;
  }

  /** Our description as it stands, for a server that has to be reminded of the call. */
  get sdp() {
    return this.#connection.localDescription?.sdp ?? "";
  }

  /** @returns {Promise<string>} the offer of a new call */
  async offer() {
    this.#transceiver = this.#connection.addTransceiver(this.#track, { direction: "sendrecv" });
    this.#prefer();
    return await this.#offered();
  }

  /** @returns {Promise<string>} an offer with new ICE credentials, for a call whose path is gone */
  async restart() {
    return await this.#offered({ iceRestart: true });
  }

  /** Take the server's answer to the latest offer; one that nobody waits for is passed over. */
  async take(sdp) {
    if (this.#connection.signalingState !== "have-local-offer") return;
    await this.#connection.setRemoteDescription({ type: "answer", sdp });
    this.places = placesIn(sdp);
  }

  /** @returns {Promise<string>} our answer to the server's offer */
  async answer(sdp) {
    await this.#connection.setRemoteDescription({ type: "offer", sdp });
    this.places = placesIn(sdp);
    this.#transceiver = this.#connection.getTransceivers().find((one) => one.receiver.track.kind === "audio");
    this.#transceiver.direction = "sendrecv";
    await this.#transceiver.sender.replaceTrack(this.#track);
    this.#prefer();
    await this.#connection.setLocalDescription();
    return this.sdp;
  }

  /** Send another track from now on. */
  async replace(track) {
    this.#track = track;
    await this.#transceiver?.sender.replaceTrack(track);
  }

  /** Send digits as RTP events (RFC 4733) after those that are still being sent; false: this call has none. */
  press(digits) {
    const keys = this.#transceiver?.sender.dtmf;
    if (!keys?.canInsertDTMF) return false;
    keys.insertDTMF(keys.toneBuffer + digits, TONE_MS, GAP_MS);
    return true;
  }

  /** @returns {Promise<{received: number, lost: number, expected: number, roundTripS: number|null}>} since the start */
  async counts() {
    const counts = { received: 0, lost: 0, expected: 0, roundTripS: null };
    for (const report of (await this.#connection.getStats()).values()) {
      if (report.type === "inbound-rtp" && report.kind === "audio") {
        counts.received = report.packetsReceived ?? 0;
        counts.lost = Math.max(0, report.packetsLost ?? 0);
        counts.expected = counts.received + counts.lost;
      } else if (report.type === "candidate-pair" && report.nominated) {
        counts.roundTripS = report.currentRoundTripTime ?? null;
      }
    }
    return counts;
  }

  close() {
    this.#connection.onconnectionstatechange = null;
    this.#connection.ontrack = null;
    this.#connection.close();
  }

  async #offered(options = {}) {
    const offer = await this.#connection.createOffer(options);
    await this.#connection.setLocalDescription(offer);
    return this.sdp;
  }

  #prefer() {
    const known = RTCRtpReceiver.getCapabilities?.("audio")?.codecs ?? [];
    const wanted = WANTED.flatMap((type) => known.filter((codec) => codec.mimeType.toLowerCase() === type));
    try {
      if (wanted.length > 0) this.#transceiver.setCodecPreferences?.(wanted);
    } catch {
      // Some browsers want every codec of theirs named. Their own order will do: Opus is first in all of them.
    }
  }
}

/** @param {string} sdp  @returns {{address: string, port: number}[]} the candidates in a description */
export function placesIn(sdp) {
  const lines = sdp.split(/\r?\n/).filter((line) => line.startsWith("a=candidate:"));
  return lines.slice(0, 16).map((line) => {
    const [, , , , address, port] = line.split(" ");
    return { address, port: Number(port) };
  });
}
