// SPDX-License-Identifier: GPL-2.0-or-later
// Moves between the patches by keys, and folds the diffs.
const patches = Array.from(document.querySelectorAll(".patch"));
const folds = Array.from(document.querySelectorAll("details"));
makeSearch(patches);

function setFolds(isOpen) {
  for (const fold of document.querySelectorAll(".file")) fold.open = isOpen;
}
document.getElementById("unfold").addEventListener("click", () => setFolds(true));
document.getElementById("fold").addEventListener("click", () => setFolds(false));

// Focuses the next shown patch, or the previous one, counted from the focused one or the window.
function move(step) {
  const shown = patches.filter((patch) => !patch.hidden);
  const focused = shown.findIndex((patch) => patch.contains(document.activeElement));
  const below = shown.findIndex((patch) => patch.getBoundingClientRect().top > 1);
  const next = below < 0 ? shown.length : below;
  const at = focused >= 0 ? focused + step : step > 0 ? next : next - 1;
  const target = shown[Math.max(0, Math.min(at, shown.length - 1))];
  if (!target) return;
  target.scrollIntoView();
  target.querySelector("h3").focus({ preventScroll: true });
}

document.addEventListener("keydown", (event) => {
  if (event.target === search || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "/") search.focus();
  else return;
  event.preventDefault();
});

// What is folded is printed, too.
let printed = [];
addEventListener("beforeprint", () => {
  printed = folds.filter((fold) => !fold.open);
  for (const fold of printed) fold.open = true;
});
addEventListener("afterprint", () => {
  for (const fold of printed) fold.open = false;
});
