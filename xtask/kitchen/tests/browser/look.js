// Looks at pages as somebody with a phone would, and tells the test what there is.
import { parts, plain } from "/assets/text.js";

await fetch("/enter", {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ token: location.hash.slice(1) }),
});

const pause = () => new Promise((done) => { setTimeout(done, 50); });

async function open(path, isThere) {
  const frame = document.createElement("iframe");
  frame.width = 400;
  frame.height = 800;
  frame.src = path;
  document.body.append(frame);
  await new Promise((done) => { frame.addEventListener("load", done); });
  while (!isThere(frame.contentDocument)) await pause();
  return frame.contentDocument;
}

const width = (page) => page.documentElement.scrollWidth;
const log = (page) => page.getElementById("window").textContent;

const build = await open("/builds/1", (page) => log(page).includes("and it goes on"));
const space = build.getElementById("space");
const home = await open("/", (page) => page.querySelector("#now [data-build]"));
const seen = {
  widths: [width(build), width(home)],
  lines: build.querySelectorAll(".line").length,
  height: Math.round(space.getBoundingClientRect().height),
  link: build.getElementById("link").textContent,
  status: build.querySelector("#head .badge").textContent,
  title: build.title,
  strangers: build.querySelectorAll("#log :not(div, a, span), #log [style]:not(#space, #window), #steps script").length,
  parts: parts("s | \x1b[1;32mok\x1b[0m \x1b[38;5;9mred\x1b[39m \x1b[38;2;1;2;3mtrue").map((part) => [part.text, ...part.classes]),
  plain: [
    "a\x1b]8;;http://x\x07link\x1b]8;;\x1b\\b\x1b]52;c;AAAA",
    "s | 10%\r20%\x1b[K\r",
    "\0\x1bcx\u202ey\x1b[2J\x1b[1",
    `${"\r".repeat(100_000)}z`,
  ].map(plain),
};
build.defaultView.location.hash = "#L2";
while (!build.querySelector(".marked")) await pause();
seen.marked = build.querySelector(".marked").textContent;
seen.follows = build.getElementById("follow").ariaPressed;
await fetch("/seen", { method: "POST", body: JSON.stringify(seen) });
