// What there is to see of what a key does, and what is wrong with a page for those who press keys or listen.

/** What has the focus, as somebody would say it. */
window.focused = () => {
  const { activeElement: one } = document;
  const { build } = one.closest("[data-build]")?.dataset ?? {};
  return [one.localName, one.id, build ?? "", one.ariaLabel ?? one.textContent.trim().slice(0, 40)].join(" ");
};

/** Whatever a key may change. */
window.state = () => JSON.stringify([
  location.href,
  focused(),
  ["#log", ".waterfall"].map((box) => document.querySelector(box)?.scrollTop),
  ["[aria-pressed=true]", "[open]", ":checked"].map((what) => document.querySelectorAll(what).length),
  ["#said", "#now"].map((part) => document.querySelector(part)?.textContent),
]);

/** The keys that the page lists. */
window.listed = () => [...document.querySelectorAll("#keys dt")].flatMap((key) => key.textContent.split(", "));

/** The keys that do something, but are not listed. */
window.hidden = () => {
  const named = ["Escape", "Home", "End", "PageUp", "PageDown", "ArrowUp", "ArrowDown", "Delete", "Backspace", "F1", " "];
  const signs = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at));
  return [...signs, ...named].filter((key) => {
    if (listed().includes(key)) return false;
    const before = state();
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    return !document.body.dispatchEvent(event) || state() !== before;
  });
};

const walked = new WeakSet();

/** Whether something has the focus that had it not before. */
window.isNew = () => {
  const { activeElement: one } = document;
  return one !== document.body && !walked.has(one) && Boolean(walked.add(one));
};

/** Whether the focus can be seen. */
window.unseen = () => {
  const one = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(one);
  const { top, bottom } = one.getBoundingClientRect();
  return outlineStyle !== "solid" || parseFloat(outlineWidth) < 2 || bottom <= 0 || top >= innerHeight;
};

/** What a page lacks. */
window.lacks = () => {
  const all = (what) => [...document.querySelectorAll(what)];
  const ids = all("[id]").map(({ id }) => id);
  return [
    all("h1").length !== 1 && "one h1",
    all("body > main").length !== 1 && "main",
    all("body > header").length !== 1 && "header",
    document.documentElement.lang !== "en" && "lang",
    !document.title && "a title",
    ...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `one ${id}`),
    ...all("svg").filter((svg) => !svg.closest("[aria-hidden=true], [role=img][aria-label]")).map(() => "a label of an SVG"),
    ...all("img").filter((img) => !img.alt).map(() => "a label of an image"),
    ...all("th").filter((th) => !th.textContent.trim()).map((th) => `a heading: ${th.closest("tr").textContent}`),
  ].filter(Boolean);
};
