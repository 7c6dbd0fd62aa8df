// Opens the pages of a long history, and tells the test how soon they answer and how wide they are.
import { tell } from "/look.js";

const pause = (time = 20) => new Promise((done) => { setTimeout(done, time); });

function frame(path) {
  const made = document.createElement("iframe");
  made.width = 400;
  made.height = 800;
  made.src = path;
  document.body.append(made);
  return made;
}

/** From the beginning of the navigation until a click is handled, which needs the page's scripts. */
async function load(path) {
  const made = frame(path);
  for (;;) {
    await pause(2);
    const page = made.contentDocument;
    page.getElementById("help")?.click();
    if (page.getElementById("keys")?.open) break;
  }
  const time = made.contentWindow.performance.now();
  made.remove();
  return time;
}

async function open(path) {
  const made = frame(path);
  await new Promise((done) => { made.addEventListener("load", done); });
  return made.contentDocument;
}

const loads = [];
for (let times = 0; times < 7; times += 1) loads.push(await load("/"));

const widths = {};
for (const path of ["/", "/trends", "/compare?a=5000&b=10000", "/builds/9998", "/builds/10000/waterfall"]) {
  widths[path] = (await open(path)).documentElement.scrollWidth;
}

const waterfall = await open("/builds/10000/waterfall");
const press = (target, key) => target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const rows = waterfall.querySelectorAll(".row:not(.axis)").length;
press(waterfall.body, "e");
const closed = [...waterfall.querySelectorAll(".part")].filter((row) => row.checkVisibility()).length;

// By keys alone: the first build, and the third.
const home = frame("/");
await new Promise((done) => { home.addEventListener("load", done); });
for (const key of ["j", "c", "j", "j", "c"]) press(home.contentDocument.activeElement, key);
let compared;
while (!(compared = /^Builds .*/.exec(home.contentDocument.title)?.[0])) await pause();

const seen = { loads, widths, rows, closed, box: waterfall.querySelector(".waterfall").scrollWidth, compared };
await tell(seen);
