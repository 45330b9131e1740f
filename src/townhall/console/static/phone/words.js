/** What the phone's state is in words, for the eye and for screen readers. */

/** @returns {string} one phrase for where the call is; "" when there is nothing to say */
export function stateInWords(state) {
  const { status, direction, listenOnly } = state;
  if (status === "preparing") return listenOnly ? "Getting ready …" : "Getting ready; allow the microphone if asked …";
  if (status === "calling") return "Calling …";
  if (status === "ringing") return "Ringing …";
  if (status === "incoming") return "Calls you";
  if (status === "connected") return connectedInWords(state);
  if (!state.endedBy || state.endedBy === "fault") return "";
  if (state.seconds === 0 && state.endedBy === "us") return direction === "in" ? "Refused." : "Not called.";
  if (state.seconds === 0) return direction === "in" ? "The caller gave up." : "The other side hung up.";
  const who = state.endedBy === "us" ? "You hung up" : "The call ended";
  return `${who} after ${lengthInWords(state.seconds)}.`;
}

function connectedInWords({ sound, reconnecting, poor }) {
  if (reconnecting) return "Reconnecting …";
  if (sound === "flowing") return poor ? "Connected, but the network loses sound" : "Connected";
  if (sound === "interrupted") return "Sound interrupted, looking for another way …";
  if (sound === "blocked") return "No sound";
  return "Connecting the sound …";
}

/** @returns {"go"|"warn"|"danger"|""} how the state is to be coloured */
export function stateColour({ status, sound, reconnecting, poor }) {
  if (status !== "connected") return status === "idle" ? "" : "warn";
  if (sound === "blocked") return "danger";
  return reconnecting || poor || sound !== "flowing" ? "warn" : "go";
}

/** @param {number} seconds  @returns {string} such as `00:42` or `1:02:03` */
export function clock(seconds) {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const two = (number) => String(number).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

/** @param {number} seconds  @returns {string} such as `3 minutes 4 seconds` */
export function lengthInWords(seconds) {
  const parts = [
    [Math.floor(seconds / 3600), "hour"],
    [Math.floor(seconds / 60) % 60, "minute"],
    [Math.floor(seconds) % 60, "second"],
  ];
  const said = parts.filter(([count]) => count > 0).slice(0, 2);
  return said.map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`).join(" ") || "a moment";
}
