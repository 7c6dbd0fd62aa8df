// The log of a build: as many lines as there are, but only those in sight are in the document.
import { kind, parts, plain } from "./text.js";

/** How many lines are kept: browsers draw nothing that is much higher than ten million pixels. */
const MOST = 500_000;

/** How many more are drawn above and below those in sight. */
const MARGIN = 20;

export class Viewer {
  #box = document.getElementById("log");
  #space = document.getElementById("space");
  #window = document.getElementById("window");
  #follow = document.getElementById("follow");
  #lines = [""];
  #left = 0;
  #height = 20;
  #marked;
  #wanted;
  #isDue = false;
  #isFollowing = true;

  constructor() {
    this.#height = parseFloat(getComputedStyle(this.#box).lineHeight);
    this.#box.addEventListener("scroll", () => {
      const end = this.#box.scrollHeight - this.#box.clientHeight;
      this.#setFollowing(this.#box.scrollTop >= end - this.#height);
      this.#draw();
    });
    new ResizeObserver(() => this.#draw()).observe(this.#box);
    this.#follow.addEventListener("click", () => this.follow());
    addEventListener("hashchange", () => this.#byAddress());
    this.#byAddress();
  }

  /** Adds what a build has printed, wherever its lines are cut. */
  add(text) {
    const more = text.split("\n");
    this.#lines[this.#lines.length - 1] += more[0];
    for (let at = 1; at < more.length; at += 1) this.#lines.push(more[at]);
    // Seldom, since every line moves.
    if (this.#lines.length > MOST * 1.1) {
      const old = this.#lines.length - MOST;
      this.#lines.splice(0, old);
      this.#left += old;
    }
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

  /** Goes to the next line with this text in it, from the marked one on, and gives its number. */
  find(text) {
    const wanted = text.toLowerCase();
    const count = this.#lines.length;
    const from = this.#marked === undefined ? 0 : this.#marked - this.#left;
    for (let step = 0; step < count; step += 1) {
      const at = (((from + step) % count) + count) % count;
      if (plain(this.#lines[at]).toLowerCase().includes(wanted)) {
        const number = this.#left + at + 1;
        this.#goTo(number);
        return number;
      }
    }
    return undefined;
  }

  #byAddress() {
    const [, number] = /^#L([1-9][0-9]{0,8})$/.exec(location.hash) ?? [];
    if (number) this.#goTo(Number(number));
  }

  #goTo(number) {
    this.#setFollowing(false);
    [this.#marked, this.#wanted] = [number, number];
    this.#draw();
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
    // The last line has nothing yet after the end of the one before.
    const count = this.#lines.length - (this.#lines.at(-1) === "" ? 1 : 0);
    this.#space.style.height = `${count * this.#height}px`;
    this.#place(count);
    const { scrollTop, clientHeight } = this.#box;
    const first = Math.max(0, Math.floor(scrollTop / this.#height) - MARGIN);
    const last = Math.min(count, Math.ceil((scrollTop + clientHeight) / this.#height) + MARGIN);
    const rows = [];
    for (let at = first; at < last; at += 1) rows.push(this.#row(at));
    this.#window.style.transform = `translateY(${first * this.#height}px)`;
    this.#window.replaceChildren(...rows);
  }

  #place(count) {
    const wanted = this.#wanted === undefined ? undefined : this.#wanted - this.#left;
    if (wanted <= count) {
      this.#wanted = undefined;
      this.#box.scrollTop = (wanted - 1) * this.#height - this.#box.clientHeight / 3;
    } else if (this.#isFollowing) {
      this.#box.scrollTop = this.#box.scrollHeight;
    }
  }

  #row(at) {
    const line = this.#lines[at];
    const number = this.#left + at + 1;
    const row = element("div", ["line", kind(line), number === this.#marked && "marked"]);
    const link = element("a", ["at"], String(number));
    link.href = `#L${number}`;
    link.tabIndex = -1;
    row.append(link, ...parts(line).map(({ text, classes }) => element("span", classes, text)));
    return row;
  }
}

function element(name, classes, text) {
  const made = document.createElement(name);
  made.classList.add(...classes.filter(Boolean));
  if (text !== undefined) made.textContent = text;
  return made;
}
