// Two builds side by side: keys, and times as the reader's clock has them.
import { keys, localise } from "./common.js";

keys({
  "/": () => document.querySelector("#filters input").focus(),
  s: () => document.getElementById("swap").click(),
  h: () => location.assign("/"),
});
localise(document);
