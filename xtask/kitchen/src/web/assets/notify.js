// Says when a build that took long has ended, to somebody who looks at something else meanwhile.

/** What is worth it, in milliseconds. */
const LONG = 30_000;

/** How often is asked, in milliseconds. Browsers let a page that nobody sees ask once a minute. */
const PAUSE = 5000;

const button = document.getElementById("notify");

/** The builds that are known to have ended; none before the first answer. */
let ended;

const isOn = () => localStorage.getItem("notify") === "on" && window.Notification?.permission === "granted";

function show() {
  // Browsers have it only where nobody between can read along: here, and by TLS.
  button.hidden = window.Notification === undefined;
  button.setAttribute("aria-pressed", String(isOn()));
}

button.addEventListener("click", async () => {
  if (isOn()) localStorage.setItem("notify", "off");
  else if (await Notification.requestPermission() === "granted") localStorage.setItem("notify", "on");
  else button.title = "This browser does not let Kitchen notify you: its settings of this site do";
  show();
});

function tell({ id, status, command }) {
  // All pages tell the same, and the browser shows it once.
  const told = new Notification(`Build ${id}: ${status}`, { body: command, tag: `kitchen-${location.host}-${id}` });
  told.addEventListener("click", () => {
    window.focus();
    location.assign(`/builds/${id}`);
  });
}

/** Between two looks, a build may have begun and ended; all that had ended before the first is old. */
async function look() {
  if (!isOn()) {
    ended = undefined;
    return;
  }
  const answer = await fetch("/api/builds");
  if (!answer.ok) return;
  const builds = (await answer.json()).filter(({ finished }) => finished);
  const news = builds.filter(({ id }) => ended && !ended.has(id));
  ended = new Set(builds.map(({ id }) => id));
  // One that was killed while it waited has not begun.
  const isLong = ({ started, finished }) => started && finished - started >= LONG;
  if (!document.hasFocus()) news.filter(isLong).forEach(tell);
}

show();
addEventListener("storage", show);
look().catch(() => {});
setInterval(() => look().catch(() => {}), PAUSE);
