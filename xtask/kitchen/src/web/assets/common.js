// What both pages do: ask, show the answer, renew a part of the page, take keys.

const said = document.getElementById("said");

/** Says a sentence to whoever looks or listens. */
export const say = (text) => { said.textContent = text; };

/** Posts to the API of builds. */
export const post = (path, body = {}) => send(`/api/builds${path}`, body);

/** Posts to the API. Gives the answer's body, or nothing after a refusal, which it says. */
export async function send(path, body) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (answer.ok) return text ? JSON.parse(text) : {};
    say(JSON.parse(text).detail);
  } catch {
    say("Kitchen does not answer: does it still run?");
  }
  return undefined;
}

/** Does what the buttons of a build do. */
export async function act(build, what, before) {
  const done = await post(`/${build}/${what}`, what === "move" ? { before } : {});
  if (done === undefined) return false;
  if (what === "again") location.assign(`/builds/${done.id}`);
  return true;
}

/** Shows times as the reader's clock does. */
export function localise(root) {
  for (const time of root.querySelectorAll("time")) {
    time.textContent = new Date(time.dateTime).toLocaleString();
  }
}

const latest = new Map();

/** Fetches the page again, and replaces those of its parts that have changed. The focus stays where it was. */
export async function renew(...ids) {
  const answer = await fetch(location.href);
  if (!answer.ok) {
    say((await answer.json()).detail);
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ids) {
    const [old, part] = [document.getElementById(id), page.getElementById(id)];
    if (latest.get(id) === part.outerHTML) continue;
    latest.set(id, part.outerHTML);
    for (const box of old.querySelectorAll(":checked[form]")) {
      part.querySelector(`[name="${box.name}"][value="${box.value}"]`)?.setAttribute("checked", "");
    }
    for (const open of old.querySelectorAll("details[open] > summary")) {
      const same = [...part.querySelectorAll("summary")].find((one) => one.textContent === open.textContent);
      same?.parentElement.setAttribute("open", "");
    }
    const focused = old.contains(document.activeElement) ? document.activeElement : undefined;
    const at = stops(old).indexOf(focused);
    localise(part);
    old.replaceWith(document.adoptNode(part));
    if (focused) focus(part, focused, at);
  }
}

const stops = (part) => [...part.querySelectorAll("a, button, input, select, summary, [tabindex]")];

/** Focuses what had the focus; or a link of its build, or of what is in its place now: one more key is to do no harm. */
function focus(part, focused, at) {
  const { build } = focused.closest("[data-build]")?.dataset ?? {};
  const all = stops(part);
  const there = all[Math.min(at, all.length - 1)];
  const next = all.find((one) => name(one) === name(focused))
    ?? all.find((one) => build && one.matches(`[data-build="${build}"] a`))
    ?? there?.closest("[data-build]")?.querySelector("a")
    ?? there
    ?? part;
  if (next === part) part.tabIndex = -1;
  next.focus();
}

const name = (element) => element.getAttribute("aria-label") ?? element.getAttribute("href") ?? element.textContent;

/** Has keys do what `actions` say, but in fields, and not with a modifier. */
export function keys(actions) {
  const dialog = document.getElementById("keys");
  const all = { "?": () => dialog.showModal(), ...actions };
  document.getElementById("help").addEventListener("click", all["?"]);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || dialog.open) return;
    if (event.target.matches("input:not([type=checkbox]), select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (Object.hasOwn(all, event.key)) {
      event.preventDefault();
      all[event.key]();
    }
  });
}
