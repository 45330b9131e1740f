/** What went wrong and what to do, in a box that screen readers read out at once; and how the last call ended. */

import { make, write } from "./dom.js";
import { stateInWords } from "./words.js";

/**
 * @param {{listen: () => void, again: () => void}} acts  what the box's buttons do
 */
export function makeNotice({ listen, again }) {
  const title = make("strong");
  const advice = make("div.phone-advice");
  const listenButton = make("button.button", { type: "button", click: listen }, "Listen without a microphone");
  const againButton = make("button.button", { type: "button", click: again }, "Try again");
  const buttons = make("div.phone-notice-buttons", {}, listenButton, againButton);
  const box = make("div.notice.danger.phone-problem", {}, title, advice, buttons);
  // The box stands in the alert from the start: some screen readers miss an alert that is shown with its words.
  const alert = make("div", { role: "alert" });
  const ended = make("p.phone-ended.soft", { role: "status", "aria-live": "polite" });
  const element = make("div.phone-notices", {}, alert, ended);
  let shown = null;

  return {
    element,

    show(state) {
      write(ended, state.status === "idle" && !state.problem ? stateInWords(state) : "");
      const { problem } = state;
      const idle = state.status === "idle";
      const listening = Boolean(problem?.listen) && (idle || state.status === "incoming");
      listenButton.hidden = !listening;
      againButton.hidden = !problem || !idle || !state.number || problem.code === "insecure" || problem.code === "unsupported";
      buttons.hidden = listenButton.hidden && againButton.hidden;
      if (problem === shown || (problem && shown && problem.code === shown.code && !idle)) return;
      shown = problem;
      alert.replaceChildren();
      if (!problem) return;
      write(title, problem.title);
      advice.replaceChildren(...problem.advice.map((sentence) => make("p", {}, sentence)));
      alert.append(box);
    },
  };
}
