// The waterfall of a build.
import { keys, renew } from "./common.js";

const section = () => document.getElementById("waterfall");
const steps = () => [...section().querySelectorAll("details")];
const title = (step) => step.querySelector(".name").title;

/** Those that somebody closed: they stay so when a build that runs is drawn anew. */
const closed = new Set();

function name() {
  const toggle = document.getElementById("toggle");
  if (!toggle) return;
  toggle.hidden = steps().length === 0;
  toggle.textContent = steps().every((step) => step.open) ? "Close all steps" : "Open all steps";
}

function toggle() {
  const opens = !steps().every((step) => step.open);
  for (const step of steps()) step.open = opens;
}

document.addEventListener("toggle", ({ target }) => {
  if (target.open) closed.delete(title(target));
  else closed.add(title(target));
  name();
}, true);
document.addEventListener("click", (event) => event.target.closest("#toggle") && toggle());

function move(by) {
  const isShown = (row) => row.matches(".step") || row.closest("details").open;
  const rows = [...section().querySelectorAll(".row:not(.axis)")].filter(isShown);
  const at = rows.indexOf(document.activeElement.closest(".row"));
  const row = rows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
  row?.focus();
  row?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

async function look() {
  if (document.hidden || section().dataset.status !== "running") return;
  const row = section().contains(document.activeElement) && document.activeElement.querySelector(".name")?.title;
  const box = section().querySelector(".waterfall");
  const [left, top] = [box?.scrollLeft ?? 0, box?.scrollTop ?? 0];
  await renew("waterfall").catch(() => {});
  for (const step of steps()) step.open = !closed.has(title(step));
  section().querySelector(".waterfall")?.scrollTo(left, top);
  if (row) [...section().querySelectorAll(".row .name")].find((one) => one.title === row)?.closest(".row").focus();
  name();
}

keys({
  j: () => move(1),
  k: () => move(-1),
  e: toggle,
  b: () => document.getElementById("build").click(),
});
name();
setInterval(look, 3000);
