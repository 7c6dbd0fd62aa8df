// The page of a build.
import { act, keys, localise, renew, say } from "./common.js";
import { Viewer } from "./viewer.js";

const { build } = document.getElementById("build").dataset;
const link = document.getElementById("link");
const find = document.getElementById("find");
const viewer = new Viewer();

/** Where the log goes on, in bytes. */
let offset = 0;

const look = () => renew("head", "steps", "made").catch(() => {});
const status = () => document.getElementById("head").dataset.status;

/** Says why there is no stream, and asks again a little later. */
function later(text) {
  link.textContent = text;
  setTimeout(async () => {
    await look();
    listen();
  }, 2000);
}

/** Follows the log from where it is. The browser asks again itself after it was cut off, but not after a refusal. */
function listen() {
  if (status() === "queued") {
    later("waits for its turn");
    return;
  }
  const source = new EventSource(`/api/builds/${build}/stream?from=${offset}`);
  source.addEventListener("open", () => { link.textContent = "live"; });
  source.addEventListener("log", (event) => {
    offset = Number(event.lastEventId);
    viewer.add(JSON.parse(event.data));
  });
  source.addEventListener("end", (event) => {
    source.close();
    if (event.data === "unknown") {
      later("reconnecting …");
    } else {
      link.textContent = "complete";
      look();
    }
  });
  source.addEventListener("error", () => {
    link.textContent = "reconnecting …";
    if (source.readyState !== EventSource.CLOSED) return;
    // One that was killed while it waited has no log.
    if (offset === 0 && status() === "killed") link.textContent = "no log";
    else later("reconnecting …");
  });
}

document.addEventListener("click", async (event) => {
  const what = event.target.closest("[data-post]")?.dataset.post;
  if (!what) return;
  if (await act(build, what)) {
    if (what === "kill") say("It is asked to end.");
    await look();
  }
});

find.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = new FormData(find).get("text");
  const number = text ? viewer.find(text) : undefined;
  if (text) say(number === undefined ? "Not found in the log." : `Found in line ${number}.`);
});

keys({
  j: () => viewer.scroll(3),
  k: () => viewer.scroll(-3),
  f: () => viewer.follow(),
  "/": () => find.elements.text.focus(),
  r: () => act(build, "again"),
  w: () => document.getElementById("waterfall").click(),
  c: () => document.getElementById("compare").click(),
  x: async () => (await act(build, "kill")) && look(),
});
localise(document);
setInterval(() => document.hidden || !["queued", "running"].includes(status()) || look(), 2000);
listen();
