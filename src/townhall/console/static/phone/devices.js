/** The settings: which microphone and speaker, a trial of the microphone, whether this page may be called. */

import { make, newId, write } from "./dom.js";
import { makeMeter } from "./meter.js";

/** @param {import("./phone.js").Phone} phone */
export function makeDevices(phone) {
  const [microphoneField, microphone] = makeChoice("Microphone", (id) => phone.chooseMicrophone(id));
  const [speakerField, speaker] = makeChoice("Speaker", (id) => phone.chooseSpeaker(id));
  const meter = makeMeter("Microphone's level");
  const trial = make("button.button", { type: "button", "aria-pressed": "false", click: tryOrStop }, "Try the microphone");
  const trialRow = make("div.phone-trial", {}, trial, meter);
  const receive = make("input", { type: "checkbox", change: () => void phone.receive(receive.checked) });
  const address = make("p.small", { hidden: true });
  const element = make(
    "details.phone-devices",
    { toggle: () => element.open && void list() },
    make("summary", {}, "Settings"),
    make(
      "div.phone-devices-body",
      {},
      microphoneField,
      trialRow,
      speakerField,
      make("label.phone-check", {}, receive, make("span", {}, "This page may be called")),
      address,
    ),
  );
  let trying = false;

  async function tryOrStop() {
    if (trying) phone.stopTest();
    trying = !trying && (await phone.testMicrophone());
    show(phone.state);
    if (trying) void list();
  }

  async function list() {
    const found = await phone.devices();
    fill(microphone, found.microphones, found.microphone);
    fill(speaker, found.speakers, found.speaker);
    speakerField.hidden = found.speakers.length === 0;
  }

  function show(state) {
    if (state.status !== "idle") trying = false;
    trialRow.hidden = state.status !== "idle";
    trial.setAttribute("aria-pressed", String(trying));
    write(trial, trying ? "Stop trying" : "Try the microphone");
    receive.checked = state.receiving;
    address.hidden = !(state.receiving && state.identity);
    write(address, `Others call client:${state.identity}`);
  }

  phone.addEventListener("devices", list);
  void list();
  return {
    element,
    show,
    get isTrying() {
      return trying;
    },
    draw: (level) => meter.show(level),
    stop() {
      if (trying) phone.stopTest();
      trying = false;
    },
    release: () => phone.removeEventListener("devices", list),
  };
}

function makeChoice(words, choose) {
  const id = newId();
  const select = make("select", { id, change: () => void choose(select.value) });
  return [make("div.field", {}, make("label", { for: id }, words), select), select];
}

function fill(select, devices, chosen) {
  const known = devices.some((device) => device.id === "default");
  const options = known ? devices : [{ id: "", name: "The system's choice" }, ...devices];
  select.replaceChildren(...options.map(({ id, name }) => make("option", { value: id }, name)));
  select.value = options.some((option) => option.id === chosen) ? chosen : options[0].id;
}
