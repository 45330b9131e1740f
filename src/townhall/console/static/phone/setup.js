/** The part for calling: which line, your name, the button. */

import { icon, make, newId, write } from "./dom.js";

const OTHER = "";

/**
 * @param {import("./phone.js").Phone} phone
 * @param {(options: {listenOnly?: boolean}) => void} onCall  the button, or Enter
 */
export function makeSetup(phone, onCall) {
  let lines = [];
  const group = newId();
  const list = make("div.phone-lines");
  const [other, otherRadio, number] = makeOther(group);
  const nameId = newId();
  const name = make("input", { id: nameId, autocomplete: "name", maxlength: 40, value: phone.memory.get("name", "") });
  const button = make("button.button.go.large.phone-call", { type: "submit" }, icon("call"), make("span", {}, "Call"));
  const presses = make("p.soft.small", { hidden: true });
  const legend = make("legend", {}, "Which line?");
  const fieldset = make("fieldset", {}, legend, list, other);
  const form = make(
    "form.phone-setup",
    { novalidate: true, submit },
    fieldset,
    make("div.field", {}, make("label", { for: nameId }, "Your name ", make("span.soft", {}, "(optional)")), name),
    presses,
    button,
  );

  function submit(event) {
    event.preventDefault();
    onCall({});
  }

  function chosen() {
    const line = form.querySelector("input[type=radio]:checked")?.value ?? OTHER;
    return line === OTHER ? number.value.trim() : line;
  }

  return {
    element: form,
    button,

    /** @returns {{number: string, name: string}} what is chosen; the number is empty when none is */
    get choice() {
      return { number: chosen(), name: name.value.trim() };
    },

    lineOf: (wanted) => lines.find((line) => line.number === wanted) ?? null,

    /** Show these lines, and choose one: that one, the last one called, or the first. */
    setLines(given, wanted = "") {
      const before = wanted || (lines.length > 0 ? chosen() : phone.memory.get("line", ""));
      lines = given;
      list.replaceChildren(...lines.map((line) => makeLine(group, line)));
      const known = lines.find((line) => line.number === before);
      if (known || (!before && lines.length > 0)) {
        form.querySelector(`input[value="${CSS.escape((known ?? lines[0]).number)}"]`).checked = true;
        number.value = "";
      } else {
        otherRadio.checked = true;
        number.value = before;
      }
      otherRadio.hidden = lines.length === 0;
      write(legend, lines.length > 0 ? "Which line?" : "Which number?");
    },

    /** Say which digits will be sent by themselves. */
    setPress(digits) {
      presses.hidden = !digits;
      write(presses, digits ? `Presses ${digits.replaceAll(",", " … ")} once the call is connected.` : "");
    },

    /** A digit typed on the page goes into the number. */
    type(digit) {
      otherRadio.checked = true;
      number.value += digit;
      number.focus();
    },

    /** Nothing was chosen: go where it can be. */
    ask() {
      otherRadio.checked = true;
      number.setAttribute("aria-invalid", "true");
      number.focus();
    },

    remember() {
      phone.memory.set("name", name.value.trim());
      phone.memory.set("line", chosen());
    },
  };
}

function makeLine(group, line) {
  const radio = make("input", { type: "radio", name: group, value: line.number });
  const words = line.name && line.name !== line.number ? line.name : `Line ${line.number}`;
  return make("label.phone-line", {}, radio, make("span.phone-line-name", {}, words), make("span.number.soft", {}, line.number));
}

function makeOther(group) {
  const radio = make("input", { type: "radio", name: group, value: OTHER });
  const number = make("input", {
    type: "text", inputmode: "tel", autocomplete: "off", maxlength: 120, spellcheck: "false",
    placeholder: "Another number", "aria-label": "Another number",
    focus: () => (radio.checked = true), input: () => number.removeAttribute("aria-invalid"),
  }); // prettier-ignore
  radio.setAttribute("aria-label", "Another number");
  radio.addEventListener("click", () => number.focus());
  return [make("div.phone-line.phone-other", {}, radio, number), radio, number];
}
