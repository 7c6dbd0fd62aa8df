// Looks at pages as somebody with a phone would.
import { parts } from "/assets/text.js";
import { open, tell, until } from "/look.js";

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
  longest: parts("x".repeat(10_005)).map(({ text }) => text.replace(/x+/, (all) => all.length)),
  plain: (await (await fetch("/data")).json()).map(([line]) => parts(line).map(({ text }) => text).join("")),
};
build.defaultView.location.hash = "#L2";
await until(() => build.querySelector(".marked"));
seen.marked = build.querySelector(".marked").textContent;
seen.follows = build.getElementById("follow").ariaPressed;
await tell(seen);
