/**
 * The page that is a phone: the lines from the server, and what its address asks for: `/?line=1000&press=3`.
 */

import { Phone } from "./phone.js";
import { mountPhone } from "./view.js";

const find = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
const phone = new Phone();
const view = mountPhone(find("phone"), phone, {
  line: (asked.get("line") ?? "").slice(0, 120),
  press: (asked.get("press") ?? "").replace(/[^0-9*#,]/g, "").slice(0, 32),
});
const title = document.title;

phone.addEventListener("change", () => {
  const { status } = phone.state;
  document.title = { idle: title, incoming: "Somebody calls – Townhall" }[status] ?? "In a call – Townhall";
});

// A moderator who closes the wrong tab ends the conference for everybody.
addEventListener("beforeunload", (event) => {
  if (phone.state.status === "connected") event.preventDefault();
});

await showLines();

async function showLines() {
  const answer = await fetch("/phone/lines").catch(() => null);
  const given = answer?.ok ? await answer.json().catch(() => null) : null;
  const lines = Array.isArray(given?.lines) ? given.lines : [];
  view.setLines(lines, (asked.get("line") ?? "").slice(0, 120));
  if (!given?.address || lines.length === 0) return;
  find("address").textContent = given.address.replace("{number}", lines[0].number);
  find("by-telephone").hidden = false;
}
