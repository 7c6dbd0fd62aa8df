"use strict";

const form = document.getElementById("order");
const said = document.getElementById("said");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const data = new FormData(form);
  const request = {
    task: data.get("task"),
    backends: data.getAll("backends"),
    platforms: data.getAll("platforms"),
    tag: data.get("tag") || null,
    dry_run: data.has("dry_run"),
  };
  const answer = await fetch("/api/builds", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
  });
  const body = await answer.json();
  if (answer.ok) {
    location.assign(`/builds/${body.id}`);
  } else {
    said.textContent = body.detail;
  }
});
