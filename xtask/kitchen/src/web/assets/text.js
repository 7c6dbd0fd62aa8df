// What a line of a log looks like: text and the names of classes. Nothing here knows of a page.

/** The most of a line that is shown, in UTF-16 units; the raw log has all of it. */
const LONGEST = 10_000;

/**
 * Whatever is not text (ECMA-48): a control sequence, of which one that ends in `m` is kept in its first group; a control
 * string with its end, or without one up to the line's; another escape; a control character other than a tab; a character
 * that changes the direction of what follows it, and so what it seems to say.
 */
const CONTROL = new RegExp(
  [
    "(?:\\x1b\\[|\\x9b)(?:([0-9;:]*)m|[0-?]*[ -/]*[@-~]?)",
    "(?:\\x1b[\\]PX^_]|[\\x90\\x98\\x9d-\\x9f])[^\\x07\\x1b\\x9c]*(?:\\x07|\\x1b\\\\|\\x9c)?",
    "\\x1b[ -/]*[0-~]?",
    "[\\0-\\x08\\x0a-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]",
  ].join("|"),
  "g",
);

/** The line as it stands after its carriage returns: what follows the last one, behind the name of the step. */
export function settle(line) {
  let end = line.length;
  while (line[end - 1] === "\r") end -= 1;
  const text = line.slice(0, end);
  const last = text.lastIndexOf("\r");
  if (last < 0) return text;
  const bar = text.indexOf(" | ");
  const prefix = bar >= 0 && bar < text.indexOf("\r") ? text.slice(0, bar + 3) : "";
  return prefix + text.slice(last + 1);
}

/** The line as parts, each with its text and its classes; all texts together are what can be read of it. */
export function parts(line) {
  let text = settle(line);
  const more = text.length - LONGEST;
  if (more > 0) text = text.slice(0, LONGEST);
  const [found, style] = [[], new Map()];
  let from = 0;
  const add = (to) => {
    if (to > from) found.push({ text: text.slice(from, to), classes: [...style.values()] });
  };
  for (const match of text.matchAll(CONTROL)) {
    add(match.index);
    from = match.index + match[0].length;
    if (match[1] !== undefined) restyle(style, match[1]);
  }
  add(text.length);
  if (more > 0) found.push({ text: ` … and ${more} more`, classes: ["dim"] });
  return found;
}

/** The same parts, cut so that those within `ranges` of their whole text are parts of their own, and matches. */
export function mark(all, ranges) {
  const [found, rest] = [[], [...ranges]];
  let end = 0;
  for (const { text, classes } of all) {
    let from = end;
    end += text.length;
    const begin = end - text.length;
    while (from < end) {
      while (rest[0]?.[1] <= from) rest.shift();
      const [start, stop] = rest[0] ?? [Infinity, Infinity];
      const isMatch = start <= from;
      const to = Math.min(end, isMatch ? stop : start);
      found.push({ text: text.slice(from - begin, to - begin), classes, isMatch });
      from = to;
    }
  }
  return found;
}

/** What kind of line it is, by how logs begin them; nothing for one that a program printed. */
export function kind(line) {
  const [, sign] = /^[^|<>]{1,200}? ([|<>-]) /.exec(line) ?? [];
  if (sign) return { ">": "began", "<": / < failed in /.test(line) ? "error" : "ended", "-": "ended" }[sign];
  if (line.startsWith("error: ")) return "error";
  return line.startsWith("# ") || line.startsWith("note: ") ? "note" : undefined;
}

const ON = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike" };
const OFF = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["strike"], 39: ["fg"], 49: ["bg"] };

/** Applies the numbers of one SGR sequence. Of colours, only the sixteen that a theme can name are kept. */
function restyle(style, text) {
  const codes = text.split(/[;:]/).map(Number);
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at];
    const ground = Math.floor(code / 10) % 10;
    if (code === 0) style.clear();
    else if (code in ON) style.set(ON[code], ON[code]);
    else if (code in OFF) OFF[code].forEach((name) => style.delete(name));
    else if (code === 38 || code === 48) {
      colour(style, code === 38 ? "fg" : "bg", codes[at + 1] === 5 ? codes[at + 2] : undefined);
      at += codes[at + 1] === 5 ? 2 : 4;
    } else if (code >= 30 && code <= 49) colour(style, ground === 3 ? "fg" : "bg", code % 10);
    else if (code >= 90 && code <= 107) colour(style, ground === 9 ? "fg" : "bg", 8 + (code % 10));
  }
}

function colour(style, ground, number) {
  if (number >= 0 && number < 16) style.set(ground, `${ground}${number}`);
  else style.delete(ground);
}
