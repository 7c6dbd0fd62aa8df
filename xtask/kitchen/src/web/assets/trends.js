// The trends: keys, and times as the reader's clock has them.
import { keys, localise } from "./common.js";

keys({
  "/": () => document.querySelector("#filters select, #filters input").focus(),
  h: () => location.assign("/"),
});
document.getElementById("filters").addEventListener("change", (event) => event.currentTarget.requestSubmit());
localise(document);
