/** Numbers as people read them. Times are in seconds unless a name says otherwise. */

const COUNTS = new Intl.NumberFormat("en");
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });

const ROLES = {
  moderator: ["moderator", "moderators"],
  speaker: ["speaker", "speakers"],
  listener: ["listener", "listeners"],
};
const OTHERS = ["other", "others"];

/** `00:12:31`, for a clock that runs: always of one width. */
export function runningTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60].map(twoDigits).join(":");
}

/** `0:42`, `12:31`, `1:02:11`: as short as it can be. */
export function shortTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  if (hours) return `${hours}:${twoDigits(minutes)}:${twoDigits(whole % 60)}`;
  return `${minutes}:${twoDigits(whole % 60)}`;
}

/** `12 minutes 31 seconds`, for screen readers and sentences; seconds are left out from an hour on. */
export function spokenTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const parts = [
    [hours, "hour"],
    [Math.floor(whole / 60) % 60, "minute"],
    [hours ? 0 : whole % 60, "second"],
  ];
  const words = parts.filter(([number]) => number).map(([number, unit]) => counted(number, unit, `${unit}s`));
  return words.join(" ") || "0 seconds";
}

/** `12 min 31 s`, `1 h 2 min`: for a sum that is read, not watched. */
export function sumTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

/** `14:03:27` on the reader's own clock. */
export function clockTime(epoch) {
  return CLOCK.format(epoch * 1000);
}

/** `Sun, 22 Nov` */
export function day(epoch) {
  return DAY.format(epoch * 1000);
}

/** `1,204` */
export function count(number) {
  return COUNTS.format(number);
}

/** `1 person`, `1,204 people` */
export function counted(number, one, many) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** A role as a word for one or for many: `listener`, `listeners`. */
export function roleWord(role, number = 1) {
  return (ROLES[role] ?? OTHERS)[number === 1 ? 0 : 1];
}

/** The first letter in upper case. */
export function capital(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function twoDigits(number) {
  return String(number).padStart(2, "0");
}
