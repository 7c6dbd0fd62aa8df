// The page of a publication.
import { keys, localise, renew, send } from "./common.js";

const begin = document.getElementById("begin");

begin.addEventListener("submit", async (event) => {
  event.preventDefault();
  const data = new FormData(begin);
  const done = await send("/api/publications", {
    backends: data.getAll("backends"),
    platforms: data.getAll("platforms"),
    profile: data.get("profile") || null,
    tag: data.get("tag") || null,
    no_rebuild: !data.has("rebuild"),
  });
  if (done) location.assign(`/publish/${done.id}`);
});

const look = () => renew("publication", "earlier").catch(() => {});

// The form comes and goes with the part of the page that is renewed.
document.addEventListener("submit", async (event) => {
  if (event.target.id !== "yes") return;
  event.preventDefault();
  const { id } = document.getElementById("publication").dataset;
  await send(`/api/publications/${id}/confirm`, JSON.parse(event.target.dataset.confirmation));
  await look();
});

keys({
  n: () => begin.querySelector("input, select").focus(),
  c: () => document.querySelector("#yes button")?.focus(),
  h: () => location.assign("/"),
});
localise(document);
setInterval(() => document.hidden || !document.getElementById("publication").dataset.open || look(), 2000);
