/**
 * How the phone looks, wherever it is put: on the page that is only a phone, or in a corner of the console.
 *
 *   const view = mountPhone(element, phone, { lines });   // needs shared/tokens.css, shared/base.css, phone/phone.css
 *   view.setLines(lines);  view.unmount();
 */

import { makeDevices } from "./devices.js";
import { make, write } from "./dom.js";
import { Animation } from "./meter.js";
import { makeNotice } from "./notice.js";
import { makeSetup } from "./setup.js";
import { Shortcuts } from "./shortcuts.js";
import { makeTalk } from "./talk.js";
import { stateInWords } from "./words.js";

/**
 * @param {HTMLElement} element  gets the phone as its only content
 * @param {import("./phone.js").Phone} phone
 * @param {object} [options]
 * @param {{number: string, name: string, keys?: Record<string, string>}[]} [options.lines]  to choose from
 * @param {string} [options.line]   the number that is chosen at first
 * @param {string} [options.press]  digits to send once the call is connected
 * @param {"page"|"inside"|"none"} [options.keys]  where the keyboard works: everywhere on the page (the default), while
 *   the focus is inside, or only as in any form
 * @returns {{setLines: (lines: object[], line?: string) => void, call: (options?: object) => Promise<boolean>,
 *   unmount: () => void}}
 */
export function mountPhone(element, phone, { lines = [], line = "", press = "", keys = "page" } = {}) {
  const notice = makeNotice({ listen: () => void takeWithoutMicrophone(), again: () => void call() });
  const setup = makeSetup(phone, (options) => void call(options));
  const talk = makeTalk(phone);
  const devices = makeDevices(phone);
  const spoken = make("p.visually-hidden", { "aria-live": "polite" });
  const root = make("div.phone", {}, notice.element, setup.element, talk.element, devices.element, spoken);
  const animation = new Animation(draw);
  const shortcuts = new Shortcuts(phone, keys === "inside" ? root : document, {
    call: () => void call(),
    type: (digit) => setup.type(digit),
    warn: () => {
      talk.hangUp.focus();
      talk.hint("Press Escape again to hang up.");
    },
  });
  let wasBusy = false;

  async function call(options = {}) {
    const { number, name } = setup.choice;
    if (!number) {
      setup.ask();
      return false;
    }
    setup.remember();
    talk.keypad.clear();
    return await phone.call(number, { press, name, ...options });
  }

  async function takeWithoutMicrophone() {
    if (phone.state.status === "incoming") await phone.answer({ listenOnly: true });
    else await call({ listenOnly: true });
  }

  function draw() {
    const levels = phone.levels();
    if (phone.isBusy) talk.draw(phone.state, levels);
    else devices.draw(levels.own);
  }

  function show() {
    const { state } = phone;
    const busy = phone.isBusy;
    setup.element.hidden = busy;
    talk.element.hidden = !busy;
    notice.show(state);
    devices.show(state);
    if (busy) talk.show(state, setup.lineOf(state.number) ?? { name: "", number: state.number });
    if (busy) write(spoken, stateInWords(state));
    if (busy !== wasBusy) moveFocus(busy);
    wasBusy = busy;
    animation.run(busy || devices.isTrying);
  }

  /** The button that was pressed is gone with its part: go to where the next step is, but only if we were there. */
  function moveFocus(busy) {
    const here = document.activeElement;
    if (here && here !== document.body && !root.contains(here)) return;
    (busy ? talk.title : setup.button).focus({ preventScroll: true });
    // What went wrong stands at the top, and has to be seen on a small screen too.
    root.scrollIntoView({ block: root.offsetHeight > innerHeight ? "start" : "nearest" });
  }

  element.replaceChildren(root);
  setup.setLines(lines, line);
  setup.setPress(press);
  if (keys !== "none") shortcuts.start();
  phone.addEventListener("change", show);
  const trialChanged = () => animation.run(phone.isBusy || devices.isTrying);
  devices.element.addEventListener("click", () => setTimeout(trialChanged));
  phone.addEventListener("devices", trialChanged);
  show();

  return {
    setLines: (given, wanted = "") => {
      setup.setLines(given, wanted);
      show();
    },
    call,
    unmount() {
      shortcuts.stop();
      animation.run(false);
      devices.stop();
      devices.release();
      talk.keypad.release();
      phone.removeEventListener("change", show);
      phone.removeEventListener("devices", trialChanged);
      root.remove();
    },
  };
}
