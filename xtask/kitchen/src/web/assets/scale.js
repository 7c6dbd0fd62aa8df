// Where the bar of a box stands for a log that may be higher than what browsers can draw. Nothing here knows of lines.

/** Browsers draw nothing that is much higher than ten million pixels. */
const HIGHEST = 8_000_000;

/** So near to both ends of a higher log, a pixel of the bar is one of the log. */
const EXACT = 200_000;

export class Scale {
  #box;
  #space;
  #height = 0;
  /** Where the bar was. */
  #bar = 0;
  /** How much further down the log is than the bar. */
  #shift = 0;

  constructor(box, space) {
    [this.#box, this.#space] = [box, space];
    box.addEventListener("scrollend", () => this.#settle());
  }

  /** Makes room for a log of this height. */
  resize(height) {
    if (height === this.#height) return;
    this.#height = height;
    this.#space.style.height = `${Math.min(height, HIGHEST)}px`;
  }

  /** How much further down the log is than what is drawn of it has to be. */
  get shift() {
    return this.#shift;
  }

  /** The first pixel of the log that is in sight. */
  get top() {
    return Math.round(this.#box.scrollTop) + this.#shift;
  }

  set top(wanted) {
    const top = Math.min(Math.max(Math.round(wanted), 0), this.#room(this.#height));
    this.#box.scrollTop = this.#toBar(top);
    this.#bar = this.#box.scrollTop;
    this.#shift = top - Math.round(this.#bar);
  }

  /** The last pixel that `top` can be. */
  get end() {
    return this.#room(this.#height);
  }

  /** To be called when the bar was moved: by a little, which moves the log as much, or to another place. */
  moved() {
    const bar = this.#box.scrollTop;
    const isFar = Math.abs(bar - this.#bar) > 3 * this.#box.clientHeight;
    this.#bar = bar;
    if (this.#height <= HIGHEST) {
      this.#shift = 0;
    } else if (isFar || bar <= 0 || bar >= this.#room(HIGHEST) - 1) {
      this.#shift = this.#toLog(bar) - Math.round(bar);
    }
  }

  /** Puts the bar where it belongs, which steps have moved as far as the log. */
  #settle() {
    if (this.#height > HIGHEST) this.top = this.top;
  }

  #room(height) {
    return Math.max(0, height - this.#box.clientHeight);
  }

  #toBar(top) {
    const [room, end] = [this.#room(HIGHEST), this.end];
    if (end <= room || top <= EXACT) return top;
    if (top >= end - EXACT) return room - (end - top);
    return EXACT + ((top - EXACT) * (room - 2 * EXACT)) / (end - 2 * EXACT);
  }

  #toLog(bar) {
    const [room, end] = [this.#room(HIGHEST), this.end];
    if (end <= room || bar <= EXACT) return Math.round(bar);
    if (bar >= room - EXACT) return Math.round(end - (room - bar));
    return Math.round(EXACT + ((bar - EXACT) * (end - 2 * EXACT)) / (room - 2 * EXACT));
  }
}
