"use strict";

// The token is not kept: neither in the address nor in the history of the browser.
const token = location.hash.slice(1);
history.replaceState(null, "", "/enter");

const said = document.getElementById("said");
fetch("/enter", {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ token }),
}).then(async (answer) => {
  if (answer.ok) {
    location.replace("/");
  } else {
    said.textContent = (await answer.json()).detail + " `cargo xtask kitchen --open` opens a new one.";
  }
}, () => {
  said.textContent = "Kitchen does not answer: does it still run?";
});
