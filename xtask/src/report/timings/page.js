"use strict";
// What the page shows. What moves is in moves.js, which comes behind.

const run = JSON.parse(document.getElementById("data").textContent);
const total = Math.max(run.seconds, 0.001);
const find = (id) => document.getElementById(id);
/** What is known of each row, for the tip. */
const known = new WeakMap();
/** The row of each step and part. */
const rows = new Map();

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function time(seconds) {
  if (seconds >= 99.95) {
    const whole = Math.round(seconds);
    return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  }
  if (seconds >= 9.995) return `${seconds.toFixed(1)} s`;
  return seconds >= 0.1 || seconds === 0 ? `${seconds.toFixed(2)} s` : `${Math.round(seconds * 1000)} ms`;
}

const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;
const percent = (seconds) => (100 * seconds) / total;

/** Which colour a part has. */
function hue(kind) {
  if (kind.endsWith("test") || kind === "bench") return "test";
  if (kind.endsWith("custom-build")) return "script";
  if (kind === "proc-macro") return "macro";
  return ["bin", "vertex", "crate"].includes(kind) ? kind : kind === "example" ? "bin" : "lib";
}

function bar(kind, from, to) {
  const made = element("span", { className: `bar ${kind}` });
  made.style.left = `${percent(from)}%`;
  made.style.width = `${percent(Math.max(to - from, 0))}%`;
  return made;
}

/** A text where there is room for it: behind the bar, before it, or in it. */
function figure(text, from, to, outcome) {
  const made = element("span", { className: `figure ${outcome}`, textContent: text });
  if (percent(to) < 80) made.style.left = `calc(${percent(to)}% + 0.4rem)`;
  else if (percent(from) > 20) made.style.right = `calc(${100 - percent(from)}% + 0.4rem)`;
  else {
    made.classList.add("inside");
    made.style.right = `calc(${100 - percent(to)}% + 0.4rem)`;
  }
  return made;
}

const remark = (outcome) => (outcome && outcome !== "done" ? ` ${outcome}` : "");

function line(tag, kind, name, track, info) {
  const label = element("span", { className: "name", textContent: name });
  const row = element(tag, { className: `row ${kind}` }, label, track);
  // The bars say it to those who see them.
  row.append(element("span", { className: "told", textContent: info.lines.join(", ") }));
  known.set(row, info);
  return row;
}

function partRow(part) {
  const length = part.finished - part.started;
  const text = time(length) + remark(part.outcome);
  const track = element("span", { className: "track" });
  track.append(bar(`unit ${hue(part.kind)} ${part.outcome}`, part.started, part.finished));
  track.append(figure(text, part.started, part.finished, part.outcome));
  const lines = [`${part.kind}${remark(part.outcome)}`, `from ${time(part.started)}, for ${time(length)}`];
  const row = line("li", "part", part.name, track, { title: part.name, lines, command: part.command });
  row.tabIndex = -1;
  rows.set(part, row);
  return row;
}

/** When a step could have begun, had there been a job for it. */
function ready(step) {
  const before = step.needs.map((name) => run.steps.find((other) => other.name === name));
  return Math.max(run.begun, ...before.map((other) => other?.finished ?? 0));
}

/** How many parts were at work at a time, as a shape over the step's bar. */
function activity(step) {
  const changes = step.parts.flatMap((part) => [[part.started, 1], [part.finished, -1]]);
  changes.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let now = 0;
  const steps = changes.map(([at, change]) => [at, (now += change)]);
  const most = Math.max(...steps.map(([, number]) => number), 1);
  return `M${percent(step.started)} 100${steps.map(([at, number]) => `H${percent(at)}V${100 - (100 * number) / most}`).join("")}V100Z`;
}

function drawing(path, text) {
  const [svg, shape] = ["svg", "path"].map((name) => document.createElementNS("http://www.w3.org/2000/svg", name));
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("preserveAspectRatio", "none");
  if (text) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", text);
  }
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

function stepTrack(step) {
  const track = element("span", { className: "track" });
  if (step.started === null) {
    const text = step.skipped === null ? "did not run" : "skipped";
    track.append(element("span", { className: "figure", textContent: text }));
    return track;
  }
  const since = ready(step);
  if (step.started - since > 0.02) track.append(bar("wait", since, step.started));
  track.append(bar(`step ${step.outcome}`, step.started, step.finished));
  if (step.parts.length > 1 && step.outcome === "done") track.append(drawing(activity(step)));
  for (const [from, to] of step.blocked) track.append(bar("blocked", from, to));
  const text = time(step.finished - step.started) + remark(step.outcome);
  track.append(figure(text, step.started, step.finished, step.outcome));
  return track;
}

function stepLines(step) {
  const lines = [step.why];
  if (step.skipped !== null) lines.push(`skipped: ${step.skipped}`);
  if (step.started !== null) {
    const wait = step.started - ready(step);
    const length = step.finished - step.started;
    lines.push(`from ${time(step.started)}, for ${time(length)}${remark(step.outcome)}`);
    if (wait > 0.02) lines.push(`waited ${time(wait)} for a job`);
  }
  const blocked = step.blocked.reduce((sum, [from, to]) => sum + to - from, 0);
  if (blocked > 0.02) lines.push(`waited ${time(blocked)} for another cargo`);
  if (step.background) lines.push("in the background, with one job of its own");
  if (step.needs.length) lines.push(`needs ${step.needs.join(", ")}`);
  return lines;
}

/** How many were there already, in one line. */
function there(step) {
  const parts = [];
  if (step.fresh) parts.push(`${count(step.fresh, "crate")} ${step.fresh === 1 ? "was" : "were"} fresh`);
  if (step.cached) parts.push(`${count(step.cached, "vertex", "vertices")} cached`);
  return parts.join(", ");
}

function stepItem(step, isOpen) {
  const info = { title: step.name, lines: stepLines(step), command: step.command, step };
  const idle = step.started === null ? "idle" : "";
  const summary = line("summary", idle, step.name, stepTrack(step), info);
  rows.set(step, summary);
  const about = element("div", { className: "about" }, element("p", { textContent: info.lines.join(" · ") }));
  about.append(element("p", {}, element("code", { textContent: step.command })));
  const details = element("details", { open: isOpen && step.parts.length > 0 }, summary, about);
  if (step.parts.length) {
    const parts = [...step.parts].sort((a, b) => a.started - b.started || a.finished - b.finished);
    details.append(element("ol", { ariaLabel: `Within ${step.name}` }, ...parts.map(partRow)));
  }
  if (there(step)) details.append(element("p", { className: "more", textContent: there(step) }));
  return element("li", {}, details);
}

/** Times at which there are lines, so that their texts have room. */
function axis() {
  const room = Math.max(find("axis").clientWidth, 100) / 80;
  const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
  const step = steps.find((size) => total / size <= room) ?? 14400;
  const texts = [];
  const lines = [];
  for (let number = 0; number * step < total; number += 1) {
    const at = number * step;
    const whole = at >= 60 ? `${Math.floor(at / 60)}:${String(Math.round(at % 60)).padStart(2, "0")}` : `${+at.toFixed(2)} s`;
    const text = element("span", { textContent: whole });
    const mark = element("i");
    text.style.left = mark.style.left = `${percent(at)}%`;
    // The last one would stick out.
    if (percent(at) < 94) texts.push(text);
    lines.push(mark);
  }
  find("axis").replaceChildren(...texts);
  find("lines").replaceChildren(...lines);
}

function cores(cpu) {
  const height = Math.min(26, Math.max(5, Math.floor(180 / cpu.cores.length)));
  find("cpu").style.setProperty("--core", `${height}px`);
  const shape = (shares) => {
    const points = shares.map((share, at) => `H${percent(cpu.times[at])}V${100 - share}H${percent(cpu.times[at + 1])}`);
    return `M${percent(cpu.times[0])} 100${points.join("")}V100Z`;
  };
  find("cpu").append(
    ...cpu.cores.map((shares, core) => {
      const text = `core ${core}: ${cpu.idle[core]} % idle`;
      const label = element("span", { textContent: height < 12 ? "" : text, ariaHidden: "true" });
      return element("div", { className: "core" }, label, drawing(shape(shares), text));
    }),
  );
  const all = cpu.idle.map((share, core) => `core ${core} ${share} %`).join(", ");
  find("idle").textContent = `Idle, of the time in all: ${all}. Other programs of this machine count as busy.`;
}

/** The step that ended last and, again and again, the one that it had to wait for longest. */
function chain() {
  const last = (steps) =>
    steps.filter((step) => step && step.finished !== null).sort((a, b) => b.finished - a.finished)[0];
  const found = [];
  for (let step = last(run.steps); step && !found.includes(step); ) {
    found.unshift(step);
    step = last(step.needs.map((name) => run.steps.find((other) => other.name === name)));
  }
  return found;
}

function longest() {
  const parts = run.steps.flatMap((step) => step.parts.map((part) => ({ step, part, length: part.finished - part.started })));
  parts.sort((a, b) => b.length - a.length);
  return parts.slice(0, 12).map(({ step, part, length }) => {
    const button = element("button", { type: "button", textContent: part.name });
    button.addEventListener("click", () => go(rows.get(part)));
    const cells = [part.kind + remark(part.outcome), step.name, time(length)];
    return element("tr", {}, element("td", {}, button), ...cells.map((textContent) => element("td", { textContent })));
  });
}

function facts() {
  const sum = (of) => run.steps.reduce((total, step) => total + of(step), 0);
  const crates = sum((step) => step.parts.filter((part) => part.kind !== "vertex").length);
  const vertices = sum((step) => step.parts.filter((part) => part.kind === "vertex").length);
  const idle = run.cpu && run.cpu.idle.reduce((a, b) => a + b, 0) / run.cpu.idle.length;
  const all = [
    ["in all", time(run.seconds)],
    ["steps", `${run.steps.filter((step) => step.started !== null).length} of ${run.steps.length}`],
    ["compiled", crates && count(crates, "crate")],
    ["fresh", sum((step) => step.fresh) && count(sum((step) => step.fresh), "crate")],
    ["made by BuildKit", vertices && count(vertices, "vertex", "vertices")],
    ["cached by BuildKit", sum((step) => step.cached) && count(sum((step) => step.cached), "vertex", "vertices")],
    ["waited for another run", run.begun >= 0.1 && time(run.begun)],
    ["idle, of all cores", run.cpu && `${Math.round(idle)} %`],
  ];
  const shown = all.filter(([, value]) => value);
  return shown.map(([name, value]) =>
    element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value })),
  );
}

function legend() {
  const kinds = new Set(run.steps.flatMap((step) => step.parts.map((part) => hue(part.kind))));
  const names = { lib: "library", macro: "procedural macro", script: "build script", bin: "program", test: "test", vertex: "vertex" };
  const items = Object.entries(names).filter(([kind]) => kinds.has(kind));
  const waits = [...document.querySelectorAll(".bar.wait, .bar.blocked")].length > 0;
  const entry = ([kind, name]) => {
    const sample = element("i", { className: kind });
    sample.style.background = kind === "wait" ? "var(--wait)" : "var(--hue, var(--step))";
    return element("li", {}, sample, name);
  };
  return [["step", "step"], ...items, ...(waits ? [["wait", "waiting"]] : [])].map(entry);
}

function verdict() {
  if (run.error !== null) return ["failed", run.error];
  if (run.failed !== null) return ["failed", `${run.failed} failed`];
  return run.exit_code === 0 ? ["done", "done"] : ["cancelled", "cancelled"];
}

function draw() {
  find("task").textContent = run.task;
  find("date").textContent = run.date.replace("T", " ").replace("Z", " UTC");
  const [kind, text] = verdict();
  Object.assign(find("verdict"), { className: kind, textContent: text });
  const isShort = run.steps.reduce((sum, step) => sum + step.parts.length, 0) <= 120;
  find("steps").append(...run.steps.map((step) => stepItem(step, isShort || step.outcome === "failed")));
  find("facts").append(...facts());
  find("legend").append(...legend());
  if (run.cpu) cores(run.cpu);
  const links = chain();
  if (links.length > 1) {
    find("chain").textContent = `What the end waited for: ${links.map((step) => `${step.name} (${time(step.finished - step.started)})`).join(" → ")}.`;
  }
  find("longest").append(...longest());
  find("longest-section").hidden = find("longest").children.length === 0;
  axis();
  new ResizeObserver(axis).observe(find("axis"));
}

draw();
