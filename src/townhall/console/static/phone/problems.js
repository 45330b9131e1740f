/**
 * What can go wrong with a call, in words: what happened, and what to do about it.
 *
 * One table, so that the page, the console and the tests speak of the same things by the same codes. Nothing here
 * touches the page.
 */

/**
 * A fault that a person should read.
 *
 * @property {string} code       the key in the table below
 * @property {string} title      what happened, one sentence
 * @property {string[]} advice   what to do, sentence by sentence
 * @property {boolean} listen    whether calling without a microphone would still work
 * @property {number|null} waitS seconds after which trying again makes sense
 */
export class Problem extends Error {
  constructor(code, facts = {}) {
    const words = (TABLE[code] ?? TABLE.unknown)(facts);
    super(words.title);
    this.name = "Problem";
    this.code = code in TABLE ? code : "unknown";
    this.title = words.title;
    this.advice = words.advice;
    this.listen = words.listen ?? false;
    this.waitS = facts.waitS ?? null;
  }
}

const TABLE = {
  "microphone-refused": () => ({
    title: "The browser may not use your microphone.",
    advice: [
      "Click the microphone or padlock sign beside the address, allow the microphone for this page, and call again.",
      "On a phone, also look in the system's settings: the browser itself needs the permission.",
    ],
    listen: true,
  }),
  "microphone-missing": () => ({
    title: "No microphone was found.",
    advice: ["Plug one in, or switch your headset on, and call again."],
    listen: true,
  }),
  "microphone-busy": () => ({
    title: "Another program is using your microphone.",
    advice: ["Close other calls and recordings, or choose another microphone below, and call again."],
    listen: true,
  }),
  "microphone-lost": () => ({
    title: "Your microphone is gone, so nobody hears you.",
    advice: ["Plug it in again or choose another one below. You still hear the others."],
  }),
  insecure: ({ host = "this address" } = {}) => ({
    title: "This page came over plain HTTP, and browsers give a microphone only to safe pages.",
    advice: [
      `Open it with https:// in front of ${host}. If there is no answer, ask who runs this server to set up HTTPS.`,
    ],
    listen: true,
  }),
  unsupported: () => ({
    title: "This browser cannot make calls.",
    advice: ["Use a current Chrome, Edge, Firefox or Safari."],
  }),
  "playback-blocked": () => ({
    title: "The browser keeps the sound from playing.",
    advice: ["Click anywhere on this page. If there is still no sound, allow sound for this page."],
  }),
  "server-unreachable": ({ offline = false } = {}) => ({
    title: offline ? "Your device is offline." : "The server does not answer.",
    advice: offline
      ? ["Connect to a network and call again."]
      : ["Check your network connection. If other pages work, the server may be down: try again in a minute."],
  }),
  "token-refused": ({ message = "" } = {}) => ({
    title: "The server does not let this page call.",
    advice: [
      "Reload the page and call again.",
      message ? `The server says: ${sentence(message)}` : "If that does not help, ask who runs this server.",
    ],
  }),
  "too-many": ({ waitS = null } = {}) => ({
    title: "There are too many calls from your network just now.",
    advice: [waitS ? `Try again in ${inWords(waitS)}.` : "Try again in a minute."],
  }),
  "media-blocked": ({ places = [] } = {}) => ({
    title: "The call stands, but no sound gets through.",
    advice: blockedAdvice(places),
  }),
  "media-lost": () => ({
    title: "The call ended because the sound stopped coming through.",
    advice: ["Check your network connection and call again. Another network, such as a phone's, may work better."],
  }),
  "call-lost": () => ({
    title: "The call ended while the connection was gone.",
    advice: ["Call again."],
  }),
  busy: () => ({ title: "The line is busy.", advice: ["Try again in a few minutes."] }),
  full: ({ waitS = null, message = "" } = {}) => ({
    title: "The server cannot take the call just now.",
    advice: [
      waitS ? `Try again in ${inWords(waitS)}.` : "Try again in a few minutes.",
      ...(message ? [`The server says: ${sentence(message)}`] : []),
    ],
  }),
  "unknown-number": ({ number = "" } = {}) => ({
    title: number ? `There is no line ${number}.` : "There is no such line.",
    advice: ["Check the number, or choose a line from the list."],
  }),
  unanswered: () => ({ title: "Nobody answered.", advice: ["Try again later."] }),
  refused: ({ message = "", code = 0 } = {}) => ({
    title: "The call was refused.",
    advice: [message ? `The server says: ${sentence(message)} (${code})` : "Try again, or ask who runs this server."],
  }),
  unknown: ({ message = "" } = {}) => ({
    title: "Something went wrong with the call.",
    advice: [message ? `The browser says: ${message}` : "Reload the page and call again."],
  }),
};

/** The Voice SDK's numbers for how a call was refused, as the server gives them. */
const REFUSALS = {
  31000: "full",
  31003: "unanswered",
  31008: "unanswered",
  31201: "token-refused",
  31204: "token-refused",
  31205: "token-refused",
  31206: "too-many",
  31209: "call-lost",
  31404: "unknown-number",
  31480: "unanswered",
  31486: "busy",
};

/**
 * The problem behind a server's `error` member.
 *
 * @param {{code?: number, message?: string, retryAfter?: number}} error
 * @param {string} number  what was called
 * @returns {Problem}
 */
export function problemOf(error, number = "") {
  const code = Number(error?.code) || 0;
  const message = String(error?.message ?? "").slice(0, 200);
  return new Problem(REFUSALS[code] ?? "refused", { code, message, number, waitS: error?.retryAfter ?? null });
}

function blockedAdvice(places) {
  const own = places.filter((place) => isLoopback(place.address));
  if (places.length > 0 && own.length === places.length && !isLoopback(globalThis.location?.hostname ?? "")) {
    return [
      `The server offers sound only at ${named(own)}, which is the server machine itself.`,
      "Who runs it has to name its public address: TOWNHALL_PUBLIC_HOST.",
    ];
  }
  const where = places.length > 0 ? ` to ${named(places)}` : "";
  return [
    `A firewall is likely to block UDP${where}. Ask who runs your network to allow it.`,
    "Until then try another network, such as your phone's, and switch a VPN off.",
  ];
}

function named(places) {
  return [...new Set(places.map((place) => `${place.address} port ${place.port}`))].slice(0, 3).join(" or ");
}

function isLoopback(host) {
  return host === "localhost" || host.endsWith(".localhost") || /^127\./.test(host) || /^\[?::1\]?$/.test(host);
}

function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function inWords(seconds) {
  return seconds < 100 ? `${Math.ceil(seconds)} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}
