// The stream of a log, and what is said when it breaks.

/** How long it takes to ask again, in milliseconds. */
const AGAIN = 2000;

const link = document.getElementById("link");
const lost = document.getElementById("lost");

export class Live {
  #build;
  #actions;
  #source;
  #timer;
  /** Where the log goes on, in bytes. */
  #offset = 0;
  /** Since when there is no connection. */
  #since;

  /** `actions` are: `add` more of the log, `look` at how it stands with the build, and say its `status`. */
  constructor(build, actions) {
    [this.#build, this.#actions] = [build, actions];
    lost.querySelector("button").addEventListener("click", () => this.#ask());
    // Somebody may have come in again, on another page.
    addEventListener("focus", () => this.#since && this.#ask());
    document.addEventListener("visibilitychange", () => this.#since && !document.hidden && this.#ask());
  }

  /** Whether there is no connection. */
  get isLost() {
    return this.#since !== undefined;
  }

  /** Follows the log from where it is, once there is one. */
  listen() {
    if (this.#actions.status() === "queued") {
      this.#wait();
      return;
    }
    this.#source?.close();
    const source = new EventSource(this.#url());
    this.#source = source;
    source.addEventListener("open", () => this.#found());
    source.addEventListener("log", (event) => {
      this.#offset = Number(event.lastEventId);
      this.#actions.add(JSON.parse(event.data));
    });
    source.addEventListener("end", (event) => {
      source.close();
      if (event.data === "unknown") {
        this.#later(() => this.#ask());
      } else {
        link.textContent = "complete";
        this.#actions.look();
      }
    });
    // A browser asks again by itself, but not after a refusal, and never says why.
    source.addEventListener("error", () => {
      source.close();
      this.#ask();
    });
  }

  #url() {
    return `/api/builds/${this.#build}/stream?from=${this.#offset}`;
  }

  #later(what) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(what, AGAIN);
  }

  #wait() {
    link.textContent = "waits for its turn";
    this.#later(async () => {
      await this.#actions.look();
      this.listen();
    });
  }

  /** Asks for the head of the stream, which tells why there is none. */
  async #ask() {
    clearTimeout(this.#timer);
    const asking = new AbortController();
    const answer = await fetch(this.#url(), { signal: asking.signal }).catch(() => undefined);
    if (answer?.ok) {
      asking.abort();
      this.listen();
      return;
    }
    const reason = (await answer?.json().catch(() => undefined))?.detail;
    if (answer?.status === 409) {
      await this.#actions.look();
      // One that was killed while it waited has no log.
      if (this.#actions.status() === "queued") this.#wait();
      else link.textContent = "no log";
    } else if (answer?.status === 401) {
      this.#lose(`Kitchen was started anew, and does not know this browser any more. ${reason} Then this page goes on.`, "not connected");
    } else if (answer?.status === 404) {
      this.#lose(`Kitchen does not have this build any more. ${reason}`, "not connected");
    } else {
      this.#lose(reason ?? "Kitchen does not answer. This page goes on by itself as soon as it does.");
      this.#later(() => this.#ask());
    }
  }

  #lose(why, state = "reconnecting …") {
    this.#since ??= new Date();
    link.textContent = state;
    const text = `No connection since ${this.#since.toLocaleTimeString()}. ${why}`;
    // Those who listen are told once.
    const told = lost.querySelector("p");
    if (told.textContent !== text) told.textContent = text;
    lost.hidden = false;
  }

  #found() {
    link.textContent = "live";
    lost.hidden = true;
    if (this.#since) this.#actions.look();
    this.#since = undefined;
  }
}
