// The search in a log. The server searches, since it has all of it; what is searched for is part of the page's address.
import { say } from "./common.js";

/** How long somebody types on, and how often a log that grows is searched again, in milliseconds. */
const [TYPING, GROWING] = [150, 1000];

const form = document.getElementById("find");
const field = form.elements.search;
const steps = form.querySelector(".steps");
const hits = document.getElementById("hits");

export class Search {
  #build;
  #viewer;
  /** What was found last, and of what. */
  #found;
  #sought = "";
  #asking;
  #timer;
  #took = 0;
  #sight = [1, 1];

  constructor(build, viewer) {
    [this.#build, this.#viewer] = [build, viewer];
    field.value = new URLSearchParams(location.search).get("search") ?? "";
    viewer.onsight = (...sight) => this.#look(sight);
    field.addEventListener("input", () => this.#later(TYPING, true));
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.go(event.shiftKey ? -1 : 1);
    });
    document.getElementById("next").addEventListener("click", () => this.go(1));
    document.getElementById("previous").addEventListener("click", () => this.go(-1));
    addEventListener("hashchange", () => this.#tell());
    if (field.value) this.#ask(viewer.marked ?? 1);
  }

  focus() {
    field.select();
  }

  /** The log has grown: it is searched again, but not all the time. */
  grown() {
    if (this.#sought && !field.validationMessage && !(this.#found?.lines >= this.#viewer.count)) this.#later(GROWING);
  }

  /** Goes to the next line that matches, or to the one before; after the last, to the first. */
  async go(by) {
    if (!field.value) {
      this.focus();
      return;
    }
    const from = this.#viewer.marked ?? (by > 0 ? 0 : Number.MAX_SAFE_INTEGER);
    if (field.value !== this.#sought && !(await this.#ask(from))) return;
    let match = this.#next(from, by);
    if (!match && (await this.#ask(from))) match = this.#next(from, by);
    // From the other end.
    const end = by > 0 ? 0 : Number.MAX_SAFE_INTEGER;
    if (!match && this.#found?.count && (await this.#ask(end))) {
      match = this.#next(end, by);
      say(by > 0 ? "From the first line on." : "From the last line on.");
    }
    if (!match) return;
    if (!this.#viewer.goTo(match.line)) say(`Line ${match.line}, which only the raw log has: ${match.text}`);
    this.#keep();
    this.#tell();
  }

  /** The match that follows a line, if it is known. */
  #next(from, by) {
    const { count, before, matches } = this.#found ?? { matches: [] };
    if (by > 0) {
      // With none known before it, those that are known may begin too late.
      const isCovered = before === 0 || matches[0]?.line <= from;
      return isCovered ? matches.find(({ line }) => line > from) : undefined;
    }
    const isCovered = before + matches.length === count || matches.at(-1)?.line >= from;
    return isCovered ? matches.findLast(({ line }) => line < from) : undefined;
  }

  #later(time, isTyped = false) {
    if (isTyped) clearTimeout(this.#timer);
    else if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!isTyped && this.#asking) this.#later(time);
      else this.#ask(Math.round((this.#sight[0] + this.#sight[1]) / 2));
    }, Math.max(time, isTyped ? 0 : 2 * this.#took));
  }

  /** What is in sight needs its marks. */
  #look(sight) {
    this.#sight = sight;
    const { count, before, matches } = this.#found ?? {};
    if (!count || matches.length === count) return;
    const isCovered = (before === 0 || matches[0].line <= sight[0])
      && (before + matches.length === count || matches.at(-1).line >= sight[1]);
    if (!isCovered) this.#later(TYPING);
  }

  /** Searches, and shows what was found. Gives whether that was anything new. */
  async #ask(near) {
    this.#asking?.abort();
    const [asking, search, began] = [new AbortController(), field.value, performance.now()];
    this.#asking = asking;
    this.#sought = search;
    this.#keep();
    try {
      if (search) {
        const query = new URLSearchParams({ search, near });
        const answer = await fetch(`/api/builds/${this.#build}/search?${query}`, { signal: asking.signal });
        const body = await answer.json();
        // 409: there is nothing yet to be searched.
        this.#show(answer.ok ? body : undefined, answer.ok || answer.status === 409 ? "" : body.detail);
      } else {
        this.#show(undefined, "");
      }
    } catch (error) {
      if (asking.signal.aborted) return false;
      this.#show(undefined, `The search failed: ${error.message}.`);
    }
    this.#took = performance.now() - began;
    this.#asking = undefined;
    this.grown();
    return this.#found !== undefined;
  }

  #show(found, problem) {
    this.#found = found;
    field.setCustomValidity(problem);
    field.ariaInvalid = String(problem !== "");
    this.#viewer.show(new Map(found?.matches.map(({ line, ranges }) => [line, ranges])));
    this.#tell();
  }

  #tell() {
    const { count, before, is_whole: isWhole, matches } = this.#found ?? {};
    steps.hidden = !count;
    hits.classList.toggle("problem", field.validationMessage !== "");
    if (count === undefined) {
      hits.value = field.validationMessage;
      return;
    }
    const at = matches.findIndex(({ line }) => line === this.#viewer.marked);
    const all = count.toLocaleString();
    const number = at < 0 ? "" : `${(before + at + 1).toLocaleString()} of `;
    hits.value = `${count ? `${number}${all}` : "no"} line${count === 1 ? "" : "s"}${isWhole ? "" : ", and not all were searched"}`;
  }

  /** Keeps in the page's address what is searched for, and where it was found. */
  #keep() {
    const url = new URL(location);
    if (field.value) url.searchParams.set("search", field.value);
    else url.searchParams.delete("search");
    if (this.#viewer.marked) url.hash = `L${this.#viewer.marked}`;
    if (url.href !== location.href) history.replaceState(null, "", url);
  }
}
