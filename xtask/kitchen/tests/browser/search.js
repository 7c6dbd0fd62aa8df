// Searches, by keys and by the address.
import { close, open, pause, tell, until } from "/look.js";

const text = (page, selector) => page.querySelector(selector)?.textContent ?? "";
const address = (page) => page.location.pathname + page.location.search + page.location.hash;
const press = (page, key) => page.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));

function type(page, wanted) {
  const field = page.getElementById("find").elements.search;
  field.value = wanted;
  field.dispatchEvent(new Event("input"));
  return field;
}

const seen = {};
let page = await open("/builds/1?search=CRATE-1234%5Cd%7B2%7D%5Cb#L123403", (document) => text(document, "#hits"), 1000, 800);
await pause(500);
seen.minds_case = text(page, "#hits");
type(page, "crate-1234\\d{2}\\b");
await until(() => text(page, "#hits").includes("100"));
await until(() => page.querySelector(".marked mark"));
seen.linked = [text(page, "#hits"), text(page, ".marked mark"), page.querySelectorAll("mark").length > 10];
const at = async (key) => {
  const old = address(page);
  press(page, key);
  await until(() => address(page) !== old && text(page, ".marked .at") === page.location.hash.slice(2));
  return [address(page), text(page, "#hits")];
};
seen.next = await at("n");
const sent = await open(seen.next[0], (document) => text(document, ".marked mark"), 1000, 800);
seen.sent = [text(sent, "#hits"), text(sent, ".marked mark"), sent.getElementById("find").elements.search.value];
close(sent);
seen.previous = [await at("N"), await at("N"), await at("N"), await at("N"), await at("N")].at(-1);
seen.wrapped = text(page, "#said");
seen.broken = [];
for (const wanted of ["(a", "a{9999}{9999}"]) {
  type(page, wanted);
  await until(() => page.querySelector("#hits.problem"));
  seen.broken.push(text(page, "#hits"));
  type(page, "");
  await until(() => text(page, "#hits") === "");
}
seen.empty = address(page);

// Among more than are told at once: those that are far away are marked as well.
type(page, "compiling");
await until(() => text(page, "#hits").includes("200"));
page.location.hash = "#L150000";
await until(() => text(page, ".marked .at") === "150000" && text(page, ".marked mark") === "Compiling");
seen.far = [await at("n"), await at("N"), await at("N")];
close(page);

// A log that grows.
const headers = { "content-type": "application/json" };
await fetch("/api/builds", { method: "POST", headers, body: "{}" });
page = await open("/builds/3", (document) => text(document, "#link") === "live", 1000, 800);
type(page, "crate-\\d+ again");
await until(() => text(page, "#hits") === "no lines");
await until(() => text(page, "#hits") === "1 line");
seen.grown = await at("n");
close(page);

// Of more lines than a page keeps, the first are found all the same.
page = await open("/builds/2", (document) => text(document, "#link") === "complete", 1000, 800);
type(page, "^first$");
await until(() => text(page, "#hits") === "1 line");
press(page, "n");
await until(() => text(page, "#said"));
seen.dropped = text(page, "#said");
close(page);

// On a phone, also what is wrong, and the list.
page = await open("/builds/1?search=%5Ba-", (document) => document.querySelector("#hits.problem"));
const list = await open("/builds/1/matches?search=crate", (document) => document.querySelector("mark"));
seen.overflows = [page, list].map((document) => document.documentElement.scrollWidth > 400);
await tell(seen);
