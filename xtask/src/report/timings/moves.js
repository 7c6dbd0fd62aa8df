// What the pointer and the keys do: page.js comes before.

function go(row) {
  const details = row.closest("details");
  if (row.tagName !== "SUMMARY") details.open = true;
  row.scrollIntoView({ block: "center" });
  row.focus();
}

/** Lines of a tip, beside the pointer or below the row. */
function tell(row, x, y) {
  const { title, lines, command, step } = known.get(row);
  const texts = [title, ...lines].map((textContent) => element("p", { textContent }));
  if (command) texts.push(element("code", { textContent: command }));
  const tip = find("tip");
  tip.replaceChildren(...texts);
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const below = y + 18 + box.height < innerHeight ? y + 18 : Math.max(8, y - box.height - 12);
  tip.style.left = `${Math.max(8, Math.min(x + 12, innerWidth - box.width - 8))}px`;
  tip.style.top = `${below}px`;
  mark(step);
}

/** Shows which steps one needs, and which need it. */
function mark(step) {
  for (const other of run.steps) {
    rows.get(other).classList.toggle("needed", step?.needs.includes(other.name) ?? false);
    rows.get(other).classList.toggle("needing", step !== undefined && other.needs.includes(step.name));
  }
}

function hide() {
  find("tip").hidden = true;
  find("cursor").hidden = true;
  mark();
}

function point(event) {
  const chart = find("chart").getBoundingClientRect();
  const track = find("lines").getBoundingClientRect();
  const share = (event.clientX - track.left) / track.width;
  find("cursor").hidden = share < 0 || share > 1;
  find("cursor").style.left = `${event.clientX - chart.left}px`;
  find("cursor").firstChild.textContent = time(share * total);
  const row = event.target.closest(".row");
  if (row) tell(row, event.clientX, event.clientY);
  else find("tip").hidden = true;
}

function press(event) {
  const row = event.target.closest(".row");
  if (event.key === "Escape") hide();
  if (!row) return;
  const details = row.closest("details");
  const isStep = row.tagName === "SUMMARY";
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    const isShown = (other) => other.tagName === "SUMMARY" || other.closest("details").open;
    const shown = [...document.querySelectorAll(".row")].filter(isShown);
    const next = shown[shown.indexOf(row) + (event.key === "ArrowUp" ? -1 : 1)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  } else if (event.key === "ArrowRight" && isStep) details.open = true;
  else if (event.key === "ArrowLeft" && isStep) details.open = false;
  else if (event.key === "ArrowLeft") details.firstChild.focus();
  else return;
  event.preventDefault();
}

function focused(event) {
  const row = event.target.closest(".row");
  if (!row || !row.matches(":focus-visible")) return;
  const box = row.getBoundingClientRect();
  tell(row, box.left + find("axis").offsetLeft, box.bottom - 12);
}

/** One button opens all steps, or closes them once all are open. */
function toggle() {
  const all = [...document.querySelectorAll("details:has(ol)")];
  const open = () => all.length > 0 && all.every((details) => details.open);
  const name = () => (find("toggle").textContent = open() ? "Close all steps" : "Open all steps");
  find("toggle").addEventListener("click", () => {
    const opens = !open();
    for (const details of all) details.open = opens;
  });
  for (const details of all) details.addEventListener("toggle", name);
  find("toggle").hidden = all.length === 0;
  name();
}

toggle();
find("chart").addEventListener("pointermove", point);
find("chart").addEventListener("pointerleave", hide);
find("chart").addEventListener("keydown", press);
find("chart").addEventListener("focusin", focused);
find("chart").addEventListener("focusout", hide);
