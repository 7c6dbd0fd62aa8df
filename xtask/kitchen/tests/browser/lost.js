// Looks at a page while Kitchen vanishes and comes back.
import { enter, open, pause, tell, until } from "/look.js";

const page = await open("/builds/1", (document) => document.getElementById("window")?.textContent.includes("line 3"));
const lost = page.getElementById("lost");
const link = () => page.getElementById("link").textContent;
const lines = () => [...page.querySelectorAll(".line")].map((row) => [...row.childNodes].map((part) => part.textContent));

/** Whether lines have gone on, none lost and none twice. */
async function isWhole() {
  const last = () => Number(lines().at(-1)[0]);
  const before = last();
  await until(() => last() > before + 3);
  return lines().every(([number, text]) => text === `line ${number}`);
}

await tell("live");
await until(() => !lost.hidden);
const text = lost.querySelector("p").textContent;
await until(() => lost.hidden);
await tell({ lost: text, link: link(), is_whole: await isWhole() });

await until(() => !lost.hidden && link() === "not connected");
const before = page.defaultView.performance.getEntriesByType("resource").length;
await pause(5000);
const requests = page.defaultView.performance.getEntriesByType("resource").length - before;
await tell({ lost: lost.querySelector("p").textContent, link: link(), requests });

// In another tab, somebody opens the new address.
await enter();
page.defaultView.dispatchEvent(new Event("focus"));
await until(() => lost.hidden);
await tell({ link: link(), is_whole: await isWhole() });
