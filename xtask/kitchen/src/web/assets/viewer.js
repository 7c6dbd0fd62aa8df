// The log of a build: all of its lines, of which only those in sight are in the document.
import { Scale } from "./scale.js";
import { kind, mark, parts } from "./text.js";

/** How many lines are kept. A log of the largest size has more only if they have less than 32 bytes on average. */
const MOST = 2_000_000;

/** How many more are drawn above and below those in sight. */
const MARGIN = 20;

export class Viewer {
  /** What is called with the numbers of the first and the last line that are drawn. */
  onsight = () => {};
  #box = document.getElementById("log");
  #window = document.getElementById("window");
  #follow = document.getElementById("follow");
  #scale = new Scale(this.#box, document.getElementById("space"));
  #height = parseFloat(getComputedStyle(this.#box).lineHeight);
  #lines = [""];
  #left = 0;
  #rows = new Map();
  #ranges = new Map();
  #marked;
  #wanted;
  #isDue = false;
  #isFollowing = true;

  constructor() {
    this.#box.addEventListener("scroll", () => {
      this.#scale.moved();
      this.#setFollowing(this.#scale.top >= this.#scale.end - this.#height);
      this.#draw();
    });
    new ResizeObserver(() => this.#draw()).observe(this.#box);
    this.#follow.addEventListener("click", () => this.follow());
    addEventListener("hashchange", () => this.#byAddress());
    this.#byAddress();
  }

  /** The line that is marked. */
  get marked() {
    return this.#marked;
  }

  /** How many lines there are, with those that are not kept. */
  get count() {
    // The last line has nothing yet after the end of the one before.
    return this.#left + this.#lines.length - (this.#lines.at(-1) === "" ? 1 : 0);
  }

  /** Adds what a build has printed, wherever its lines are cut. */
  add(text) {
    const more = text.split("\n");
    this.#lines[this.#lines.length - 1] += more[0];
    for (let at = 1; at < more.length; at += 1) this.#lines.push(more[at]);
    // Seldom, since every line moves.
    if (this.#lines.length > MOST * 1.1) this.#drop(this.#lines.length - MOST);
    this.#draw();
  }

  /** Shows the end, and stays there. */
  follow() {
    this.#setFollowing(true);
    this.#draw();
  }

  /** Goes some lines down, or up. */
  scroll(lines) {
    this.#box.scrollBy(0, lines * this.#height);
  }

  /** Marks a line and shows it, as soon as it is there. Gives whether it will ever be. */
  goTo(number) {
    this.#setFollowing(false);
    [this.#marked, this.#wanted] = [number, number];
    this.#draw();
    return number > this.#left;
  }

  /** Marks these places in lines, by their numbers. */
  show(ranges) {
    this.#ranges = ranges;
    this.#draw();
  }

  #drop(old) {
    this.#lines.splice(0, old);
    this.#left += old;
    if (!this.#isFollowing) this.#scale.top -= old * this.#height;
  }

  #byAddress() {
    const [, number] = /^#L([1-9][0-9]{0,8})$/.exec(location.hash) ?? [];
    if (number) this.goTo(Number(number));
  }

  #setFollowing(isFollowing) {
    this.#isFollowing = isFollowing;
    this.#follow.setAttribute("aria-pressed", String(isFollowing));
  }

  #draw() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#drawNow();
    });
  }

  #drawNow() {
    const count = this.count - this.#left;
    this.#scale.resize(count * this.#height);
    this.#place(count);
    const { top, shift } = this.#scale;
    const first = Math.max(0, Math.floor(top / this.#height) - MARGIN);
    const last = Math.min(count, Math.ceil((top + this.#box.clientHeight) / this.#height) + MARGIN);
    const rows = new Map();
    for (let at = first; at < last; at += 1) rows.set(this.#left + at + 1, this.#row(at));
    this.#rows = rows;
    this.#window.style.transform = `translateY(${first * this.#height - shift}px)`;
    put(this.#window, [...rows.values()].map(({ row }) => row));
    this.onsight(this.#left + first + 1, this.#left + last);
  }

  #place(count) {
    const wanted = this.#wanted === undefined ? undefined : this.#wanted - this.#left;
    if (wanted <= count) {
      this.#wanted = undefined;
      this.#scale.top = (wanted - 1) * this.#height - this.#box.clientHeight / 3;
    } else if (this.#isFollowing) {
      this.#scale.top = this.#scale.end;
    }
  }

  /** What a line looks like: as it did, if nothing of it has changed, so that a selection stays. */
  #row(at) {
    const line = this.#lines[at];
    const number = this.#left + at + 1;
    const [isMarked, ranges] = [number === this.#marked, this.#ranges.get(number)];
    const old = this.#rows.get(number);
    if (old?.line === line && old.isMarked === isMarked && old.ranges === ranges) return old;
    const row = element("div", ["line", kind(line), isMarked && "marked", ranges && "match"]);
    const link = element("a", ["at"], String(number));
    link.href = `#L${number}`;
    link.tabIndex = -1;
    const shown = mark(parts(line), ranges ?? []);
    row.append(link, ...shown.map(({ text, classes, isMatch }) => element(isMatch ? "mark" : "span", classes, text)));
    return { line, isMarked, ranges, row };
  }
}

/** Makes these rows the content of a box, and leaves those alone that are in it. */
function put(box, rows) {
  const wanted = new Set(rows);
  for (const old of [...box.children]) if (!wanted.has(old)) old.remove();
  let next = box.firstChild;
  for (const row of rows) {
    if (row === next) next = row.nextSibling;
    else box.insertBefore(row, next);
  }
}

function element(name, classes, text) {
  const made = document.createElement(name);
  made.classList.add(...classes.filter(Boolean));
  if (text !== undefined) made.textContent = text;
  return made;
}
