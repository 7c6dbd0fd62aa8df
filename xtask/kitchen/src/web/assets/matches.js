// The lines of a log that match: keys.
import { keys } from "./common.js";

keys({
  "/": () => document.querySelector("[name=search]").select(),
  b: () => document.getElementById("build").click(),
});
