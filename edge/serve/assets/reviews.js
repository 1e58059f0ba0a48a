"use strict";
// Answers that wait in this browser for a sample's page: said, so that none is forgotten.
import { waitingFor } from "./review-send.js";

const names = [...document.querySelectorAll("[data-sample]")].filter((line) => waitingFor(line.dataset.sample)).map((line) => line.dataset.name);
const said = document.getElementById("waiting");
if (said && names.length) {
  said.textContent = `Answers wait in this browser: open ${names.join(", ")} to put them into the book.`;
  said.hidden = false;
}
