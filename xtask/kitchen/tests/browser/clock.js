// Takes the time at which lines are on the screen, and the text of the whole log.
import { close, frame, open, pause, tell, until } from "/look.js";

/** All that a page shows, line by line. */
async function text(page) {
  const box = page.getElementById("log");
  const lines = [];
  const rows = () => [...page.querySelectorAll(".line")];
  // Between two frames, as a person does: in one that is being drawn, the page may be about to follow the log.
  while (rows()[0]?.firstChild.textContent !== "1") {
    await pause(20);
    box.scrollTop = 0;
    await frame();
  }
  for (;;) {
    await frame();
    await frame();
    for (const row of rows()) {
      const [number, ...parts] = [...row.childNodes].map((part) => part.textContent);
      lines[Number(number) - 1] = parts.join("");
    }
    if (box.scrollTop + box.clientHeight >= box.scrollHeight - 1) break;
    box.scrollTop += box.clientHeight;
  }
  return lines.map((line) => `${line}\n`).join("");
}

async function hash(page) {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(await text(page)));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const isComplete = (page) => page.getElementById("link")?.textContent === "complete";

const page = await open("/builds/1", (document) => document.getElementById("link")?.textContent === "live", 1000, 800);
const seen = new Map();
new MutationObserver((changes) => {
  const rows = changes.flatMap(({ addedNodes }) => [...addedNodes]);
  const times = rows.flatMap((row) => / at (\d{13})$/.exec(row.textContent)?.[1] ?? []);
  // What is drawn in this frame is on the screen when the one after the next begins.
  requestAnimationFrame(() => requestAnimationFrame(() => {
    const now = Date.now();
    for (const time of times) if (!seen.has(time)) seen.set(time, now - Number(time));
  }));
}).observe(page.getElementById("window"), { childList: true });
await tell("live");
await until(() => isComplete(page));
const hashes = [await hash(page)];
close(page);
hashes.push(await hash(await open("/builds/1", isComplete, 1000, 800)));
await tell({ took: [...seen.values()], hashes });
