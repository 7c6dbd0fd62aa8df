// What all tests do that look at pages: come in, open pages in frames, wait, tell what there is.

/** Comes in, by a new token. */
export async function enter() {
  const token = await (await fetch("/token")).text();
  const headers = { "content-type": "application/json" };
  await fetch("/enter", { method: "POST", headers, body: JSON.stringify({ token }) });
}

export const pause = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

export const frame = () => new Promise((done) => { requestAnimationFrame(done); });

/** Waits until something holds, but not for ever. */
export async function until(holds) {
  const began = performance.now();
  while (!holds()) {
    if (performance.now() - began > 150_000) throw new Error(`never: ${holds}`);
    await pause(20);
  }
}

/** Opens a page in a frame of this size, and gives its document once something holds for it. */
export async function open(path, holds, width = 400, height = 800) {
  const box = document.createElement("iframe");
  Object.assign(box, { width, height, src: path });
  document.body.append(box);
  await new Promise((done) => { box.addEventListener("load", done); });
  await until(() => holds(box.contentDocument));
  return box.contentDocument;
}

/** Removes the frame of a page. */
export const close = (page) => page.defaultView.frameElement.remove();

/** Tells the test what there is. */
export const tell = (seen) => fetch("/seen", { method: "POST", body: JSON.stringify(seen) });

const trouble = (problem) => tell({ problem: problem?.stack ?? String(problem) });
addEventListener("unhandledrejection", ({ reason }) => trouble(reason));
addEventListener("error", ({ error, message }) => trouble(error ?? message));
await enter();
