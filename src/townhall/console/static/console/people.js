/** People in words: who somebody is and how they are. No page. */

const STATES = {
  ringing: "Ringing",
  waiting: "Waiting",
  hold: "On hold",
  coaching: "Coaching",
  muted: "Muted",
  talking: "Talking",
  quiet: "Can speak",
};

/** What somebody is called: the label he was dialled under, his name, his number, or that both are withheld. */
export function nameOf(person) {
  return person.label || person.name || person.number || "Number withheld";
}

/** The number, where it says more than the name. */
export function numberOf(person) {
  return person.number && person.number !== nameOf(person) ? person.number : "";
}

/**
 * How somebody is, in words.
 *
 * @param {Object} person
 * @param {Map<string, Object>} people to name the one who is coached
 */
export function stateWords(person, people) {
  if (person.state === "coaching") {
    const target = people.get(person.coaching);
    return target ? `Coaching ${nameOf(target)}` : "Coaching";
  }
  // A listener is muted by his role, which is no news; a muted speaker is.
  if (person.state === "muted" && person.role === "listener") return "Listening";
  return STATES[person.state] ?? "";
}

/** All the words that somebody is found by. */
export function searchWords(person, people) {
  const kind = { browser: "browser", guest: "guest", phone: "phone" }[person.kind] ?? "";
  const muted = person.muted ? "muted" : "";
  return [
    nameOf(person),
    person.name ?? "",
    person.number ?? "",
    person.role,
    kind,
    muted,
    stateWords(person, people),
  ].join(" ");
}

/** How long somebody has talked, in milliseconds, the open span included. */
export function talkTime(person, nowMs) {
  const open = person.speaking && person.speaking_since_ms ? Math.max(0, nowMs - person.speaking_since_ms) : 0;
  return person.talk_ms + open;
}

/**
 * A level in dBov as a share of the meter, 0 to 1: speech lies between −50 and −10, so the meter is spread over
 * that.
 */
export function share(dbov) {
  return Math.min(1, Math.max(0, (dbov + 54) / 48));
}
