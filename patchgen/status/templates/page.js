// SPDX-License-Identifier: GPL-2.0-or-later
// Shows the patches at the chosen stages.
const stages = Array.from(document.querySelectorAll(".stages button"));
const chosen = () => stages.filter((button) => button.getAttribute("aria-pressed") === "true");

function isAtStage(row) {
  const names = chosen().map((button) => button.dataset.stage);
  return names.length === 0 || names.includes(row.dataset.stage);
}

const update = makeSearch(
  document.querySelectorAll(".patches tbody tr"), isAtStage, () => chosen().length > 0,
);
for (const button of stages) {
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    update();
  });
}
