// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// Shows the entries of a page that have all words of its search, and unfolds what the words are in.
const search = document.getElementById("search");
const hits = document.getElementById("hits");
const none = document.getElementById("none");

// Returns a function that shows the entries again, after the choice of the page has changed.
// isChosen() is asked for each element, isFiltered() whether the page hides any itself.
function makeSearch(elements, isChosen = () => true, isFiltered = () => false) {
  const entries = Array.from(elements, (element) => ({
    element,
    text: readText(element),
    open: readOpen(element),
    folds: Array.from(element.querySelectorAll("details"), (fold) => ({ fold, text: readText(fold) })),
  }));
  let opened = new Set(); // the folds that the current search opened

  function update() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const fold of opened) fold.open = false;
    opened = new Set();
    for (const { element, text, open, folds } of entries) {
      const isShown = isChosen(element) && words.every((word) => text.includes(word));
      element.hidden = !isShown;
      shown += isShown;
      const hidden = words.filter((word) => !open.includes(word));
      if (isShown) for (const entry of folds) unfold(entry, hidden);
    }
    hits.value = words.length || isFiltered() ? `${shown} of ${entries.length}` : "";
    none.hidden = shown > 0;
  }

  function unfold({ fold, text }, words) {
    if (fold.open || !words.some((word) => text.includes(word))) return;
    fold.open = true;
    opened.add(fold);
  }

  search.addEventListener("input", update);
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    search.value = "";
    update();
  });
  // A browser may restore the text of the search after a reload.
  update();
  return update;
}

function readText(element) {
  const titles = Array.from(element.querySelectorAll("[title]"), (part) => part.title);
  return [element.textContent, ...titles].join("\n").toLowerCase();
}

// Returns the text of an element outside of its folds.
function readOpen(element) {
  const copy = element.cloneNode(true);
  for (const fold of copy.querySelectorAll("details")) fold.remove();
  return readText(copy);
}
