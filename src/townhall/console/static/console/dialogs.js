/**
 * Dialogs: one that asks for a yes, and those that ask for what an act needs. All are the browser's own modal
 * dialogs, so Escape closes them, the rest of the page cannot be reached, and focus goes back to where it was.
 */

import { icon } from "./icons.js";
import { make } from "./dom.js";
import { nameOf } from "./people.js";

let number = 0;

/**
 * Show a dialog.
 *
 * @param {string} title
 * @param {(Node|string)[]} body
 * @param {{kind?: string, first?: HTMLElement}} [how] `kind`: a class for its width; `first`: what has the focus,
 *   else the title
 * @returns {{dialog: HTMLDialogElement, closed: Promise<string>, close: (answer?: string) => void}}
 */
export function show(title, body, { kind = "", first = null } = {}) {
  number += 1;
  const heading = make("h2", { id: `dialog-${number}`, tabindex: "-1" }, title);
  const close = make(
    "button.button.quiet",
    { type: "button", "aria-label": "Close", on: { click: () => dialog.close("") } },
    icon("close"),
  );
  const dialog = make(
    "dialog.card",
    { "aria-labelledby": heading.id },
    make("div.dialog-head", {}, heading, close),
    ...body,
  );
  if (kind) dialog.classList.add(kind);
  // A press on what is behind closes it, as Escape does; the dialog itself fills its own box.
  dialog.addEventListener("pointerdown", (event) => {
    if (event.target === dialog && outside(dialog, event)) dialog.close("");
  });
  const closed = new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
  document.body.append(dialog);
  dialog.showModal();
  (first ?? heading).focus();
  return { dialog, closed, close: (answer = "") => dialog.close(answer) };
}

/** Whether a dialog is open; keys of the page then do nothing. */
export function isOpen() {
  return document.querySelector("dialog[open]") !== null;
}

/** Ask before something that cannot be taken back. The safe answer has the focus. */
export async function confirm({ title, words, yes, no = "Cancel" }) {
  const keep = make("button.button", { type: "button", on: { click: () => shown.close("") } }, no);
  const go = make("button.button.danger", { type: "button", on: { click: () => shown.close("yes") } }, yes);
  const shown = show(title, [make("p", {}, words), make("div.dialog-foot", {}, keep, go)], { first: keep });
  return (await shown.closed) === "yes";
}

/** Say something to everybody, or to one person. */
export async function announce(desk, person = null) {
  const text = make("textarea", { id: "say", rows: "4", maxlength: "1000" });
  const url = make("input", {
    id: "say-url",
    type: "url",
    placeholder: "https://…",
    maxlength: "2000",
    spellcheck: "false",
  });
  const either = (event) => {
    const other = event.target === text ? url : text;
    other.disabled = event.target.value.trim() !== "";
  };
  text.addEventListener("input", either);
  url.addEventListener("input", either);
  await ask(person ? `Announce to ${nameOf(person)}` : "Announce to everybody", {
    fields: [field("To be said", text), field("Or the address of a sound file", url)],
    yes: "Announce",
    first: text,
    read() {
      const said = text.value.trim();
      const address = url.value.trim();
      if (!said && !address) return complain(text, "Write what is to be said, or give the address of a sound.");
      return { ...(said ? { text: said } : { url: address }), ...(person ? { call_sid: person.call_sid } : {}) };
    },
    send: (body) => desk.act("announce", body),
  });
}

/** Dial somebody into the conference. */
export async function dial(desk) {
  const to = make("input", {
    id: "dial-to",
    autocomplete: "off",
    maxlength: "200",
    spellcheck: "false",
    placeholder: "+15550100, sip:ben@example.com",
  });
  const label = make("input", { id: "dial-label", autocomplete: "off", maxlength: "40" });
  const role = make(
    "select",
    { id: "dial-role" },
    option("speaker", "Speaker"),
    option("listener", "Listener"),
    option("moderator", "Moderator"),
  );
  await ask("Dial a guest", {
    fields: [field("Number or SIP address", to), field("Name in the roster", label), field("Comes in as", role)],
    yes: "Dial",
    first: to,
    read() {
      if (!to.value.trim()) return complain(to, "Give a number or an address.");
      const named = label.value.trim() ? { label: label.value.trim() } : {};
      return { to: to.value.trim(), role: role.value, ...named };
    },
    send: (body) => desk.act("dial", body),
  });
}

/** Choose which moderator is heard by this person alone; with one moderator there is nothing to choose. */
export async function coach(desk, person) {
  const people = [...desk.room.people.values()];
  const whisperer = person.coaching ? person : people.find((other) => other.coaching === person.call_sid);
  if (whisperer) return desk.act("coach", { call_sid: whisperer.call_sid, target: null });
  const moderators = people.filter(
    (other) => other.role === "moderator" && other.call_sid !== person.call_sid && other.state !== "ringing",
  );
  if (!moderators.length) {
    desk.tell("To coach, a moderator has to be in the conference by phone or browser.");
    return false;
  }
  const whisper = (coachSid) => desk.act("coach", { call_sid: coachSid, target: person.call_sid });
  if (moderators.length === 1) return whisper(moderators[0].call_sid);
  const who = make(
    "select",
    { id: "coach-who" },
    ...moderators.map((other) => option(other.call_sid, nameOf(other))),
  );
  const self = moderators.find((other) => other.name === desk.session.name);
  if (self) who.value = self.call_sid;
  return ask(`Coach ${nameOf(person)}`, {
    fields: [field("Who whispers", who), make("p.soft.small", {}, "Until it is stopped, nobody else hears them.")],
    yes: "Coach",
    first: who,
    read: () => who.value,
    send: whisper,
  });
}

async function ask(title, { fields, yes, first, read, send }) {
  const go = make("button.button.accent", { type: "submit" }, yes);
  const cancel = make("button.button", { type: "button", on: { click: () => shown.close("") } }, "Cancel");
  const form = make("form", { novalidate: true }, ...fields, make("div.dialog-foot", {}, cancel, go));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = read();
    if (!body) return;
    go.disabled = true;
    if (await send(body)) shown.close("sent");
    go.disabled = false;
  });
  const shown = show(title, [form], { first });
  await shown.closed;
}

function field(words, control) {
  return make("div.field", {}, make("label", { for: control.id }, words), control);
}

function option(value, words) {
  return make("option", { value }, words);
}

function complain(control, words) {
  control.setCustomValidity(words);
  control.reportValidity();
  control.addEventListener("input", () => control.setCustomValidity(""), { once: true });
  return null;
}

function outside(dialog, { clientX, clientY }) {
  const box = dialog.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}
