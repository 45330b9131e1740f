/** The console: puts its parts together, follows the stream, and shows the conference that the address names. */

import { Desk } from "./desk.js";
import { find, put, write } from "./dom.js";
import { Feed } from "./feed.js";
import { Frame } from "./frame.js";
import { Header, stateWords } from "./header.js";
import { icon } from "./icons.js";
import { keep, takeKept } from "./kept.js";
import { Keys } from "./keys.js";
import { OnAir } from "./onair.js";
import { addressOf, Overview } from "./overview.js";
import { Records } from "./records.js";
import { Roster } from "./roster.js";
import { sheet } from "./sheet.js";
import { SignIn } from "./signin.js";
import { apply, takeConference, takeTimeline } from "./store.js";
import { Stream } from "./stream.js";
import { Summary } from "./summary.js";
import { murmur, tell } from "./telling.js";

const EVERYTHING = ["facts", "roster", "people", "levels", "entries", "lanes", "recordings"];
const MOST_TOLD = 3;
const ENDINGS = {
  expired: "You were signed out, because 12 hours have passed. Sign in again.",
  changed: "You were signed out, because the PIN or password was changed. Sign in with the new one.",
};

const desk = new Desk();
const stream = new Stream();
const frame = new Frame((touched) => paint(touched));
const signIn = new SignIn(desk);
const overview = new Overview(desk);
const header = new Header(desk);
const onair = new OnAir(desk);
const roster = new Roster(desk);
const feed = new Feed(desk);
const records = new Records(desk);
const summary = new Summary(desk);
new Keys({ desk, roster, onair, overview });

function paint(touched) {
  const all = touched.get("*");
  if (all?.has("rooms")) follow();
  overview.paintSwitch();
  if (!desk.session.signed_in) return;
  if (!desk.room) {
    overview.paint();
    return;
  }
  const parts = new Set([...(touched.get(desk.sid) ?? []), ...(all?.has("tick") ? ["tick"] : [])]);
  if (all?.has("rooms") || all?.has("view")) for (const part of EVERYTHING) parts.add(part);
  if (!parts.size) return;
  for (const part of [header, onair, roster, feed, records]) part.paint(parts);
  if (parts.has("facts") || parts.has("lanes")) summary.paint();
}

/** Show the conference of the address; without one, the only one that is active; else the overview. */
function follow() {
  const wish = location.hash.slice(1); // a SID, or "all": nothing in it is ever encoded
  const active = [...desk.state.rooms.values()].filter(({ facts }) => facts.state !== "ended");
  if (!wish && active.length === 1) {
    history.replaceState(null, "", addressOf(active[0].facts.sid));
    look(active[0].facts.sid);
  } else if (desk.state.rooms.has(wish)) look(wish);
  else if (wish.startsWith("CF")) fetchRoom(wish);
  else look(null);
}

function look(sid) {
  const changed = desk.sid !== sid;
  desk.sid = sid;
  find("room").hidden = !sid;
  find("overview").hidden = Boolean(sid);
  find("skip").hidden = !sid;
  if (!sid) document.title = "Townhall console";
  // What had the focus is hidden now; the reader goes on at the heading of what is shown.
  if (changed) find(sid ? "title" : "overview-heading").focus({ preventScroll: true });
  if (changed && sid) {
    loadTimeline(sid);
    find("search").value = "";
    roster.search("");
  }
  frame.touch([["*", "view"]]);
}

async function fetchRoom(sid) {
  try {
    const { conference } = await desk.server.conference(sid);
    frame.touch(takeConference(desk.state, conference));
  } catch {
    tell("That conference is not here any more.");
    location.hash = "#all";
  }
}

async function loadTimeline(sid) {
  try {
    frame.touch(takeTimeline(desk.state, sid, await desk.server.ask(sid, "timeline")));
  } catch {
    // The lanes then begin with what the stream tells.
  }
}

stream.onEvent = (event, data) => {
  if (data.now_ms) desk.setClock(data.now_ms);
  if (event === "entries" && data.conference_sid === desk.sid) tellActions(data.entries);
  const before = desk.room?.facts.state;
  frame.touch(apply(desk.state, event, data));
  if (event === "snapshot" && desk.sid) {
    loadTimeline(desk.sid);
    records.recordings.load();
  }
  const after = desk.room?.facts;
  if (event === "conference" && before && after && before !== after.state)
    tell(`${after.name}: ${stateWords(after)}`);
};

/** What moderators do is told; a burst of it is left to the feed. */
function tellActions(entries) {
  const newest = desk.room?.entries.at(-1)?.id ?? 0;
  const actions = entries.filter(({ kind, id }) => ["action", "fault"].includes(kind) && id > newest);
  if (actions.length)
    tell(
      actions
        .map(({ text }) => text)
        .slice(-MOST_TOLD)
        .join(". "),
    );
}

stream.onState = (state) => {
  const link = find("link");
  if (link.dataset.state === state) return;
  const back = link.dataset.state === "reconnecting" && state === "live";
  put(link, "data-state", state);
  write(link, state === "reconnecting" ? "Reconnecting. What you see may be old." : "");
  put(find("room"), "data-stale", state === "reconnecting");
  if (state === "reconnecting") find("ticker").replaceChildren();
  if (back) murmur("Connected again.");
};
stream.onSignedOut = (reason) => start(ENDINGS[reason]);
stream.onRefused = async () => {
  try {
    const session = await desk.server.session();
    if (session.signed_in) stream.open();
    else signedOut(session, ENDINGS.expired);
  } catch {
    stream.retry();
  }
};
desk.server.onSignedOut = () => start();

function signedIn(session) {
  desk.session = session;
  signIn.close();
  for (const id of ["help", "sign-out"]) find(id).hidden = false;
  write(find("who"), session.role === "operator" ? `${session.name}, operator` : (session.name ?? ""));
  look(null);
  stream.open();
  loadPhones();
  find("overview-heading").focus();
}

/** After a session the page is loaded anew, so that no name and no number of it stays behind in this browser. */
function signedOut(session, why = "") {
  if (desk.session.signed_in) {
    stream.close();
    keep(why);
    location.reload();
    return;
  }
  desk.session = session;
  find("overview").hidden = true;
  signIn.open(why || takeKept());
}

async function loadPhones() {
  try {
    desk.phones = await desk.server.phoneLines();
    frame.touch([["*", "view"]]);
  } catch {
    // The address for phones is then not shown.
  }
}

async function start(why = "") {
  try {
    const session = await desk.server.session();
    if (session.signed_in) signedIn(session);
    else signedOut(session, why);
  } catch (error) {
    write(find("link"), error.message);
    put(find("link"), "data-state", "reconnecting");
    setTimeout(() => start(why), 3_000);
  }
}

signIn.onSignedIn = signedIn;
roster.rows.onAct = (act, person) => act.run(desk, person);
roster.rows.onMore = async (person) => {
  await sheet(desk, person);
  roster.focus(person.call_sid);
};
find("sign-out").addEventListener("click", async () => {
  await desk.server.signOut().catch(() => {});
  start();
});
find("search").addEventListener("input", (event) => {
  roster.search(event.target.value);
  records.attendance.search(event.target.value);
});
find("search").addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    event.target.value = "";
    event.target.dispatchEvent(new Event("input"));
    roster.focus();
  } else if (event.key === "ArrowDown" || event.key === "Enter") {
    event.preventDefault();
    roster.focus();
  }
});
find("views").addEventListener("click", (event) => {
  const view = event.target.closest("button")?.dataset.view;
  if (view) show(view);
});
addEventListener("hashchange", () => desk.session.signed_in && follow());
setInterval(() => desk.session.signed_in && frame.touch([["*", "tick"]]), 1_000);

/** On a narrow screen one part is shown at a time. */
function show(view) {
  put(find("room"), "data-view", view);
  for (const button of find("views").children) put(button, "aria-pressed", String(button.dataset.view === view));
}

for (const element of document.querySelectorAll("[data-icon]")) element.prepend(icon(element.dataset.icon));
show("people");
start();
