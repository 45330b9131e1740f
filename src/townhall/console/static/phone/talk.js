/** The part that shows a call: who, how it stands, levels, keypad, mute and hang up; or that somebody calls. */

import { icon, make, write } from "./dom.js";
import { makeKeypad } from "./keypad.js";
import { makeMeter } from "./meter.js";
import { clock, stateColour, stateInWords } from "./words.js";

const SPEAKS = 0.45;
const HINT_AFTER = 20;
const HINT_MS = 4_000;
const MUTED = "You are muted: nobody hears you.";

/** @param {import("./phone.js").Phone} phone */
export function makeTalk(phone) {
  const title = make("h2.phone-title", { tabindex: "-1" });
  const number = make("span.number.soft");
  const chip = make("span.chip.phone-state");
  const time = make("time.digits.phone-clock", { role: "timer", "aria-label": "Length of the call", "aria-live": "off" });
  const own = makeMeter("Your level");
  const others = makeMeter("The others' level");
  const ownMark = make("span.phone-mark", {}, icon("microphone"));
  const keypad = makeKeypad(phone);
  const hint = make("p.phone-hint", { role: "status", hidden: true });
  keypad.element.prepend(hint);
  const mute = makeButton("button.button.phone-mute", "microphone", "Mute", () => phone.mute(!phone.state.muted));
  const hangUp = makeButton("button.button.danger.phone-hang-up", "end", "Hang up", () => phone.hangUp());
  const answer = makeButton("button.button.go.large", "call", "Answer", () => void phone.answer());
  const refuse = makeButton("button.button.danger.large", "end", "Refuse", () => phone.hangUp());
  mute.setAttribute("aria-pressed", "false");
  const meters = make(
    "div.phone-meters",
    {},
    make("div.phone-meter", {}, ownMark, make("span", {}, "You"), own),
    make("div.phone-meter", {}, make("span.phone-mark", {}, icon("people")), make("span", {}, "Others"), others),
  );
  const call = make("div.phone-live", {}, meters, keypad.element, make("div.phone-actions", {}, mute, hangUp));
  const incoming = make("div.phone-actions", {}, answer, refuse);
  const head = make("div.phone-head", {}, title, number, make("div.phone-standing", {}, chip, time));
  const element = make("section.phone-talk", { "aria-label": "Call" }, head, incoming, call);
  let speaking = 0;
  let hintEnds = 0;

  function tick(state) {
    write(time, state.since === null ? "" : clock((performance.now() - state.since) / 1000));
  }

  return {
    element,
    title,
    hangUp,
    keypad,

    /** @param {{name: string, number: string, keys?: Record<string, string>}} line  who is called, or calls */
    show(state, line) {
      write(title, line.name || line.number);
      write(number, line.name && line.name !== line.number ? line.number : "");
      write(chip, stateInWords(state));
      chip.className = `chip phone-state ${stateColour(state)}`;
      time.hidden = state.since === null;
      tick(state);
      incoming.hidden = state.status !== "incoming";
      call.hidden = !incoming.hidden;
      mute.setAttribute("aria-pressed", String(state.muted));
      mute.hidden = state.listenOnly;
      own.parentElement.hidden = state.listenOnly;
      mute.querySelector("svg").replaceWith(icon(state.muted ? "muted" : "microphone"));
      ownMark.replaceChildren(icon(state.muted ? "muted" : "microphone"));
      own.classList.toggle("phone-silenced", state.muted);
      keypad.explain(line.keys ?? {});
    },

    /** Say this for some seconds, in a place where nothing moves for it. */
    hint(words) {
      write(hint, words);
      hint.hidden = false;
      hintEnds = performance.now() + HINT_MS;
    },

    /** Once for each picture. */
    draw(state, levels) {
      own.show(levels.own);
      others.show(levels.others);
      tick(state);
      speaking = state.muted && levels.own > SPEAKS ? speaking + 1 : 0;
      if (speaking > HINT_AFTER) this.hint(MUTED);
      const past = performance.now() > hintEnds || (hint.textContent === MUTED && !state.muted);
      if (past && !hint.hidden) hint.hidden = true;
    },
  };
}

function makeButton(tag, drawing, words, click) {
  return make(tag, { type: "button", click }, icon(drawing), make("span", {}, words));
}
