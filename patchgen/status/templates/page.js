// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// Shows the patches that have all words of the search, at the chosen stages.
const search = document.getElementById("search");
const hits = document.getElementById("hits");
const none = document.getElementById("none");
const stages = Array.from(document.querySelectorAll(".stages button"));

const rows = Array.from(document.querySelectorAll(".patches tbody tr"), (element) => ({
  element,
  stage: element.dataset.stage,
  text: readText(element),
  open: readOpen(element),
  folds: Array.from(element.querySelectorAll("details"), (fold) => ({ fold, text: readText(fold) })),
}));
let opened = new Set(); // the folds that the current search opened

function readText(element) {
  const titles = Array.from(element.querySelectorAll("[title]"), (part) => part.title);
  return [element.textContent, ...titles].join("\n").toLowerCase();
}

// Returns the text of a row outside of its folds.
function readOpen(element) {
  const copy = element.cloneNode(true);
  for (const fold of copy.querySelectorAll("details")) fold.remove();
  return readText(copy);
}

function update() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = stages.filter((button) => button.getAttribute("aria-pressed") === "true");
  const names = new Set(chosen.map((button) => button.dataset.stage));
  let shown = 0;
  for (const fold of opened) fold.open = false;
  opened = new Set();
  for (const { element, stage, text, open, folds } of rows) {
    const isShown =
      (names.size === 0 || names.has(stage)) && words.every((word) => text.includes(word));
    element.hidden = !isShown;
    shown += isShown;
    const hidden = words.filter((word) => !open.includes(word));
    if (isShown) for (const entry of folds) unfold(entry, hidden);
  }
  hits.value = words.length || names.size ? `${shown} of ${rows.length}` : "";
  none.hidden = shown > 0;
}

function unfold({ fold, text }, words) {
  if (fold.open || !words.some((word) => text.includes(word))) return;
  fold.open = true;
  opened.add(fold);
}

for (const button of stages) {
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    update();
  });
}
search.addEventListener("input", update);
search.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  search.value = "";
  update();
});
// A browser may restore the text of the search after a reload.
update();
