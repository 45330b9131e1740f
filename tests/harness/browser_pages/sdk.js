// A phone of the official Voice SDK, driven by a test: what the SDK tells is told on, by name and with what matters of it.
"use strict";

const DEVICE_EVENTS = ["registering", "registered", "unregistered", "incoming", "error", "tokenWillExpire", "destroyed"];
const CALL_EVENTS = [
  "ringing", "accept", "disconnect", "cancel", "reject", "error", "reconnecting", "reconnected", "mute", "warning",
  "warning-cleared", "messageReceived", "messageSent",
];

globalThis.phone = {
  device: null,
  /** The call that is dialled, answered, or rings (the newest one). */
  call: null,

  start(token, options) {
    phone.device = new Twilio.Device(token, {
      chunderw: location.host,
      codecPreferences: ["opus", "pcmu"],
      logLevel: "warn",
      publishEvents: false,
      ...options,
    });
    for (const name of DEVICE_EVENTS) phone.device.on(name, (...told) => tell("device", name, told));
    phone.device.on("incoming", (call) => phone.take(call));
  },

  take(call) {
    phone.call = call;
    for (const name of CALL_EVENTS) call.on(name, (...told) => tell("call", name, told));
  },

  async connect(params, options) {
    phone.take(await phone.device.connect({ params, ...options }));
  },

  /** What a test may ask of the call. */
  state() {
    const { call } = phone;
    return {
      status: call?.status() ?? "none",
      parameters: call?.parameters ?? {},
      custom: Object.fromEntries(call?.customParameters ?? []),
      muted: call?.isMuted() ?? false,
      identity: phone.device?.identity ?? null,
      device: phone.device?.state ?? "none",
      edge: phone.device?.edge ?? null,
      busy: phone.device?.isBusy ?? false,
    };
  },
};

const tell = (source, name, [what]) => {
  const detail = {};
  if (what instanceof Error) Object.assign(detail, { code: what.code, message: what.message });
  else if (typeof what === "boolean" || typeof what === "string") detail.value = what;
  else if (what?.parameters) Object.assign(detail, what.parameters);
  else if (what?.content) Object.assign(detail, { content: what.content, kind: what.messageType });
  globalThis.townhallTold(source, name, detail);
};
