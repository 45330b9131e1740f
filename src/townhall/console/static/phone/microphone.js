/** What is sent and what it is heard with: the microphone or, for those who only listen, silence; the devices. */

import { Problem } from "./problems.js";

const FAULTS = {
  NotAllowedError: "microphone-refused",
  SecurityError: "microphone-refused",
  NotFoundError: "microphone-missing",
  OverconstrainedError: "microphone-missing",
  NotReadableError: "microphone-busy",
  AbortError: "microphone-busy",
};

/**
 * Open a microphone.
 *
 * @param {string} [id]  of the device that is wished for; the system's own choice when it is not there
 * @returns {Promise<MediaStream>} with one audio track
 * @throws {Problem} insecure, microphone-refused, -missing, -busy
 */
export async function openMicrophone(id = "") {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Problem(globalThis.isSecureContext ? "unsupported" : "insecure", { host: location.host });
  }
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
  if (id) audio.deviceId = { ideal: id };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (fault) {
    throw new Problem(FAULTS[fault?.name] ?? "unknown", { message: String(fault?.message ?? fault) });
  }
}

/**
 * A stream of silence, for calls without a microphone: digits travel beside a track, so there has to be one.
 *
 * @param {AudioContext} context
 * @returns {MediaStream}
 */
export function silence(context) {
  const outlet = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
  const nothing = new ConstantSourceNode(context, { offset: 0 });
  nothing.connect(outlet);
  nothing.start();
  return outlet.stream;
}

/**
 * What there is to choose from. Browsers give the names only after a microphone was allowed.
 *
 * @returns {Promise<{microphones: {id: string, name: string}[], speakers: {id: string, name: string}[]}>}
 */
export async function listDevices() {
  const found = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  const named = (kind) =>
    found
      .filter((device) => device.kind === kind && device.deviceId && device.label)
      .map((device) => ({ id: device.deviceId, name: device.label }));
  return {
    microphones: named("audioinput"),
    speakers: canChooseSpeaker() ? named("audiooutput") : [],
  };
}

/** Whether this browser lets a page choose what it is heard with. */
export function canChooseSpeaker() {
  return "setSinkId" in HTMLMediaElement.prototype;
}
