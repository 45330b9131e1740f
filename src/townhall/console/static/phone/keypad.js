/** Twelve keys, and what was pressed. */

import { make, write } from "./dom.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const SPOKEN = { "*": "star", "#": "hash" };
const LIT_MS = 160;
const SHOWN = 18;

/** @param {import("./phone.js").Phone} phone */
export function makeKeypad(phone) {
  const pressed = make("p.phone-pressed.number", { "aria-hidden": "true" });
  const spoken = make("p.visually-hidden", { "aria-live": "polite" });
  const words = new Map(KEYS.map((key) => [key, make("span.phone-key-word")]));
  const buttons = new Map(KEYS.map((key) => [key, makeKey(key)]));
  let digits = "";

  function makeKey(key) {
    const label = make("span.phone-key-digit", {}, key);
    return make("button.button.phone-key", { type: "button", click: () => phone.press(key) }, label, words.get(key));
  }

  function show() {
    // Digits may be a PIN, and others may be looking: only the last one stays readable.
    write(pressed, digits.slice(0, -1).replace(/./g, "•").slice(-SHOWN) + digits.slice(-1));
  }

  const took = ({ detail }) => {
    digits = (digits + detail.replaceAll(",", "")).slice(-64);
    show();
    write(spoken, Array.from(detail, (digit) => SPOKEN[digit] ?? digit).join(" "));
    for (const digit of detail) {
      const button = buttons.get(digit);
      button?.classList.add("lit");
      setTimeout(() => button?.classList.remove("lit"), LIT_MS);
    }
  };
  phone.addEventListener("pressed", took);

  const element = make("div.phone-keypad", {}, pressed, spoken, make("div.phone-keys", { role: "group", "aria-label": "Keypad" }, ...buttons.values()));
  return {
    element,

    /** @param {Record<string, string>} keys  what the line's menu does at which key */
    explain(keys) {
      for (const [key, word] of words) write(word, keys[key] ?? "");
      element.classList.toggle("explained", Object.keys(keys).length > 0);
    },

    clear() {
      digits = "";
      show();
      write(spoken, "");
    },

    release: () => phone.removeEventListener("pressed", took),
  };
}
