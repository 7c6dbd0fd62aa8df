// The first page.
import { act, keys, localise, post, renew, say } from "./common.js";

const order = document.getElementById("order");

order.addEventListener("submit", async (event) => {
  event.preventDefault();
  const data = new FormData(order);
  const done = await post("", {
    task: data.get("task"),
    backends: data.getAll("backends"),
    platforms: data.getAll("platforms"),
    engine: data.get("engine") || null,
    profile: data.get("profile") || null,
    tag: data.get("tag") || null,
    dry_run: data.has("dry_run"),
  });
  if (done) location.assign(`/builds/${done.id}`);
});

const look = () => renew("now", "history").catch(() => {});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-post]");
  if (!button) return;
  const { build } = button.closest("[data-build]").dataset;
  const { post: what, before } = button.dataset;
  if (await act(build, what, before ? Number(before) : null)) await look();
});

const links = () => [...document.querySelectorAll("[data-build] a")];
const current = () => document.activeElement.closest("[data-build]")?.dataset.build;

function move(by) {
  const all = links();
  const at = all.findIndex((link) => link.closest("[data-build]").contains(document.activeElement));
  all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)]?.focus();
}

/** Chooses the build, or no longer. The second one that is chosen is compared with the first. */
function choose() {
  const box = document.activeElement.closest("[data-build]")?.querySelector("[name=build]");
  if (!box) {
    if (current()) say("A build can be compared once it has ended.");
    return;
  }
  box.checked = !box.checked;
  const chosen = [...document.querySelectorAll("[name=build]:checked")];
  if (chosen.length === 2) document.getElementById("compare").requestSubmit();
  else say(chosen.length === 1 ? `Build ${chosen[0].value} is chosen: c on another compares them.` : "");
}

document.addEventListener("submit", (event) => {
  const count = document.querySelectorAll("[name=build]:checked").length;
  if (event.target.id !== "compare" || count === 1 || count === 2) return;
  event.preventDefault();
  say("Choose two builds to compare.");
});

keys({
  j: () => move(1),
  k: () => move(-1),
  r: () => current() && act(current(), "again"),
  x: async () => current() && (await act(current(), "kill")) && look(),
  c: choose,
  t: () => document.getElementById("trends").click(),
  p: () => location.assign("/publish"),
  "/": () => document.getElementById("search").focus(),
});
localise(document);
setInterval(() => document.hidden || look(), 3000);
