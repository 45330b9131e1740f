/**
 * Who spoke when: one lane a speaker, in the order of first words, drawn on a canvas as large as what is seen of
 * it. Names and sums stand beside it as text, and the same as a table takes its place when asked for.
 */

import { find, make, put, write } from "./dom.js";
import { capital, roleWord, runningTime, shortTime } from "./format.js";
import { icon } from "./icons.js";
import { LaneTable } from "./lanetable.js";
import { nameOf } from "./people.js";
import { bars, tickStep, totalOf } from "./spans.js";

const LANE = 24;
const AXIS = 22;
const RECENT_MS = 600_000;

export class Lanes {
  #desk;
  #panel = find("panel-lanes");
  #canvas = make("canvas", { "aria-hidden": "true" });
  #names = make("ol.lane-names", { "aria-label": "Who spoke, and for how long" });
  #scroll = make(
    "div.lane-scroll",
    { tabindex: "0", role: "region", "aria-label": "Who spoke when" },
    this.#names,
    this.#canvas,
  );
  #nothing = make("p.nothing", {}, "Nobody has spoken yet.");
  #table;
  #items = new Map();
  #sid = null;
  #recent = false;
  #width = 0;
  #height = 0;
  #tip = make("p.tip", { hidden: true, "aria-hidden": "true" });
  /** The buttons that belong to this panel. */
  tools;

  constructor(desk) {
    this.#desk = desk;
    this.#table = new LaneTable(desk);
    this.#panel.append(this.#nothing, this.#scroll, this.#table.element, this.#tip);
    this.tools = [this.#makeRange(), this.#makeTableButton()];
    new ResizeObserver(([entry]) => {
      this.#width = entry.contentRect.width;
      this.#height = entry.contentRect.height;
      if (this.#desk.room) this.#draw();
    }).observe(this.#scroll);
    this.#scroll.addEventListener("scroll", () => this.#draw(), { passive: true });
    this.#canvas.addEventListener("pointermove", (event) => this.#point(event));
    this.#canvas.addEventListener("pointerleave", () => put(this.#tip, "hidden", true));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#desk.room && this.#draw());
  }

  /** @param {Set<string>} touched `lanes`; `tick`: spans that last */
  paint(touched) {
    const other = this.#sid !== this.#desk.sid;
    if (other) {
      this.#sid = this.#desk.sid;
      this.#items.clear();
      this.#names.replaceChildren();
    }
    if (!other && !touched.has("lanes") && !touched.has("tick")) return;
    if (this.#panel.hidden) return;
    this.#paintNames();
    this.#draw();
    this.#table.paint();
  }

  #paintNames() {
    const { lanes } = this.#desk.room;
    const nowMs = this.#desk.now();
    this.#nothing.hidden = lanes.size > 0;
    this.#scroll.hidden = !lanes.size || this.#table.shown;
    for (const lane of lanes.values()) {
      const item = this.#items.get(lane.call_sid) ?? this.#makeItem(lane);
      write(item.name, nameOf(lane));
      write(item.total, shortTime(totalOf(lane.spans, nowMs) / 1000));
      put(item.element, "data-lit", lane.spans.at(-1)?.[1] === null);
    }
    for (const [sid, item] of this.#items) {
      if (lanes.has(sid)) continue;
      item.element.remove();
      this.#items.delete(sid);
    }
  }

  #makeItem(lane) {
    const item = { name: make("span.name"), total: make("span.digits.soft") };
    const role = make("span.visually-hidden", {}, `, ${roleWord(lane.role)}, `);
    item.element = make(
      "li",
      { "data-role": lane.role, title: `${nameOf(lane)}, ${capital(roleWord(lane.role))}` },
      item.name,
      role,
      item.total,
    );
    this.#items.set(lane.call_sid, item);
    this.#names.append(item.element);
    return item;
  }

  #window() {
    const { facts } = this.#desk.room;
    const first = [...this.#desk.room.lanes.values()][0]?.spans[0]?.[0];
    const to = facts.ended_at_ms ?? this.#desk.now();
    const begin = Math.min(facts.started_at_ms ?? facts.created_at_ms, first ?? Infinity);
    const from = this.#recent ? Math.max(begin, to - RECENT_MS) : begin;
    // A conference's first minute does not fill the picture: it grows into it.
    return { from, to: Math.max(to, from + 60_000), begin, now: to };
  }

  #draw() {
    const width = Math.max(0, this.#width - this.#names.offsetWidth);
    if (this.#scroll.hidden || width < 40) return;
    const ratio = devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(this.#height * ratio);
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${this.#height}px`;
    const pen = this.#canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const look = getComputedStyle(this.#panel);
    const colour = (name) => look.getPropertyValue(`--${name}`).trim();
    const span = this.#window();
    this.#drawAxis(pen, span, width, colour, look.fontFamily);
    this.#drawLanes(pen, span, width, colour);
  }

  #drawAxis(pen, span, width, colour, family) {
    const step = tickStep((span.to - span.from) / 1000, width) * 1000;
    pen.font = `12px ${family}`;
    pen.textBaseline = "middle";
    for (let at = Math.ceil((span.from - span.begin) / step) * step; at <= span.to - span.begin; at += step) {
      const x = Math.round(((span.begin + at - span.from) / (span.to - span.from)) * width) + 0.5;
      pen.fillStyle = colour("line");
      pen.fillRect(x, AXIS, 1, this.#height - AXIS);
      pen.fillStyle = colour("text-soft");
      const words = step < 60_000 || at % 60_000 ? runningTime(at / 1000) : runningTime(at / 1000).slice(0, 5);
      if (x + 44 < width) pen.fillText(words, x + 4, AXIS / 2);
    }
  }

  #drawLanes(pen, span, width, colour) {
    const top = this.#scroll.scrollTop;
    let y = AXIS - top;
    for (const lane of this.#desk.room.lanes.values()) {
      if (y + LANE > AXIS && y < this.#height) {
        pen.save();
        pen.beginPath();
        pen.rect(0, AXIS, width, this.#height - AXIS);
        pen.clip();
        pen.fillStyle = colour("sunk");
        pen.fillRect(0, y + 4, width, LANE - 8);
        pen.fillStyle = colour(lane.role) || colour("listener");
        for (const bar of bars(
          lane.spans,
          { from: span.from, to: span.now },
          (width * (span.now - span.from)) / (span.to - span.from),
        )) {
          pen.fillRect(bar.x, y + 4, bar.width, LANE - 8);
        }
        pen.restore();
      }
      y += LANE;
    }
  }

  /** Say under the pointer who spoke from when to when. */
  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    const span = this.#window();
    const at = span.from + ((event.clientX - box.left) / box.width) * (span.to - span.from);
    const lane = [...this.#desk.room.lanes.values()][
      Math.floor((event.clientY - box.top - AXIS + this.#scroll.scrollTop) / LANE)
    ];
    const slack = (4 * (span.to - span.from)) / box.width;
    const hit = lane?.spans.find(([from, to]) => from - slack <= at && at <= (to ?? span.to) + slack);
    this.#tip.hidden = !hit;
    if (!hit) return;
    const [from, to] = hit.map((time) => ((time ?? span.now) - span.begin) / 1000);
    write(
      this.#tip,
      `${nameOf(lane)}, ${runningTime(from)} to ${hit[1] === null ? "now" : runningTime(to)} (${shortTime(to - from)})`,
    );
    const panel = this.#panel.getBoundingClientRect();
    const x = Math.max(0, Math.min(event.clientX - panel.left + 12, panel.width - 340));
    this.#tip.style.transform = `translate(${x}px, ${event.clientY - panel.top - 40}px)`;
  }

  #makeRange() {
    const button = make(
      "button.button.quiet.small",
      { type: "button", "aria-pressed": "false" },
      "Last 10 minutes",
    );
    button.addEventListener("click", () => {
      this.#recent = !this.#recent;
      put(button, "aria-pressed", String(this.#recent));
      this.#draw();
    });
    return button;
  }

  #makeTableButton() {
    const button = make(
      "button.button.quiet.small",
      { type: "button", "aria-pressed": "false" },
      icon("table"),
      "As a table",
    );
    button.addEventListener("click", () => {
      this.#table.show(!this.#table.shown);
      put(button, "aria-pressed", String(this.#table.shown));
      this.#paintNames();
      this.#draw();
    });
    return button;
  }
}
