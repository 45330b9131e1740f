/**
 * What this browser keeps for us: the reader's name, whether single keys are off, and a sentence from one page
 * load to the next. A browser that keeps nothing (private windows, settings) is no fault: then it is asked again.
 */

const NAME = "townhall.console.name";
const KEYS_OFF = "townhall.console.keys-off";
const SENTENCE = "townhall.console.sentence";

/** The name under which somebody signed in here last, or "". */
export function keptName() {
  return read(() => localStorage, NAME);
}

export function keepName(name) {
  write(() => localStorage, NAME, name);
}

/** Whether single keys are off. */
export function keysAreOff() {
  return read(() => localStorage, KEYS_OFF) === "1";
}

export function keepKeysOff(off) {
  write(() => localStorage, KEYS_OFF, off ? "1" : "");
}

/** Keep a sentence for the next load of the page. */
export function keep(sentence) {
  write(() => sessionStorage, SENTENCE, sentence);
}

/** The sentence that was kept, once. */
export function takeKept() {
  const sentence = read(() => sessionStorage, SENTENCE);
  write(() => sessionStorage, SENTENCE, "");
  return sentence;
}

function read(store, key) {
  try {
    return store().getItem(key) ?? "";
  } catch {
    return "";
  }
}

function write(store, key, value) {
  try {
    if (value) store().setItem(key, value);
    else store().removeItem(key);
  } catch {
    // Nothing is kept.
  }
}
