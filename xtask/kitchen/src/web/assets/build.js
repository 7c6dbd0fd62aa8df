// The page of a build.
import { act, keys, localise, renew, say } from "./common.js";
import { Live } from "./live.js";
import { Search } from "./search.js";
import { Viewer } from "./viewer.js";

const { build } = document.getElementById("build").dataset;
const viewer = new Viewer();
const search = new Search(build, viewer);

const look = () => renew("head", "steps", "made").catch(() => {});
const status = () => document.getElementById("head").dataset.status;

const live = new Live(build, {
  add(text) {
    viewer.add(text);
    search.grown();
  },
  look,
  status,
});

document.addEventListener("click", async (event) => {
  const what = event.target.closest("[data-post]")?.dataset.post;
  if (what === "kill") await kill();
  else if (what) await act(build, what);
});

async function kill() {
  if (!(await act(build, "kill"))) return;
  say("It is asked to end.");
  await look();
}

keys({
  j: () => viewer.scroll(3),
  k: () => viewer.scroll(-3),
  f: () => viewer.follow(),
  "/": () => search.focus(),
  n: () => search.go(1),
  N: () => search.go(-1),
  r: () => act(build, "again"),
  w: () => document.getElementById("waterfall").click(),
  c: () => document.getElementById("compare").click(),
  x: kill,
});
localise(document);
setInterval(() => {
  if (!document.hidden && !live.isLost && ["queued", "running"].includes(status())) look();
}, 2000);
live.listen();
