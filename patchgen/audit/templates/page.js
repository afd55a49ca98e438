// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// Folds and searches the drawing, which patchgen/audit/page.py lays out with the same numbers.
const ROW = 24, INDENT = 18, MARGIN = 16, LETTER = 7.6;
// On a phone, rows are broken into lines instead of leaving the screen.
const NARROW = 560, NARROW_INDENT = 6, LINE = 16, FEWEST = 10;
const tree = document.getElementById("tree");
const drawing = document.getElementById("drawing");
const search = document.getElementById("search");
const hits = document.getElementById("hits");
const previous = document.getElementById("previous");
const next = document.getElementById("next");

const rows = Array.from(tree.querySelectorAll(".row"), (element, number) => ({
  element,
  number,
  parent: "parent" in element.dataset ? Number(element.dataset.parent) : null,
  last: Number(element.dataset.last),
  depth: Number(element.getAttribute("aria-level")) - 1,
  line: element.querySelector(".line"),
  text: Array.from(element.querySelectorAll(".name, .via, .at"), (part) => part.textContent)
    .join("\n").toLowerCase(),
  letters: element.querySelector("text").textContent.length,
  parts: Array.from(element.querySelectorAll("text > tspan"), (part) => [part, part.textContent]),
  band: element.querySelector(".band"),
  columns: 0, // of the lines that it is broken into, 0 for one line
  folded: "fold" in element.dataset,
  y: 0,
}));
let matches = [];
let opened = new Set(); // rows that only the current search unfolds
let current = -1;

function above(row) {
  const numbers = [];
  for (let at = row.parent; at !== null; at = rows[at].parent) numbers.push(at);
  return numbers;
}

function isShut(row) {
  return row.folded && !opened.has(row.number);
}

// Return a text in pieces of at most `columns` letters, cut after a separator if one is near.
function cut(text, columns) {
  const pieces = [];
  while (text.length > columns) {
    const head = text.slice(0, columns);
    const at = Math.max(...[" ", "_", "/", ".", "(", ","].map((separator) => head.lastIndexOf(separator))) + 1;
    const length = at > columns / 2 ? at : columns;
    pieces.push(text.slice(0, length));
    text = text.slice(length);
  }
  return [...pieces, text];
}

// Write a row in lines of at most `columns` letters, or in one line; return the number of lines.
function write(row, columns) {
  let lines = 1, used = 0;
  for (const [part, text] of row.parts) {
    if (!columns) {
      part.replaceChildren(text);
      continue;
    }
    if (part.classList.contains("below") && !isShut(row)) continue;
    const pieces = cut(text, columns);
    const joins = used > 0 && used + 1 + pieces[0].length <= columns;
    const spans = pieces.map((piece, number) => {
      const span = document.createElementNS(tree.namespaceURI, "tspan");
      span.textContent = piece;
      if (number > 0 || (used > 0 && !joins)) {
        span.setAttribute("x", 12);
        span.setAttribute("dy", LINE);
        lines += 1;
      }
      return span;
    });
    used = (joins ? used + 1 : 0) + pieces.at(-1).length;
    if (pieces.length > 1) used = pieces.at(-1).length;
    part.replaceChildren(...spans);
  }
  return lines;
}

function layOut() {
  const narrow = drawing.clientWidth < NARROW;
  const indent = narrow ? NARROW_INDENT : INDENT;
  let y = 0, width = 0, hidden = -1, bottom = 0;
  for (const row of rows) {
    const away = row.number <= hidden;
    row.element.classList.toggle("away", away);
    if (away) continue;
    const room = drawing.clientWidth - MARGIN - row.depth * indent - 20;
    const columns = narrow ? Math.max(FEWEST, Math.floor(room / LETTER)) : 0;
    const lines = columns || row.columns ? write(row, columns) : 1;
    row.columns = columns;
    y += bottom + ROW;
    bottom = (lines - 1) * LINE;
    row.y = y;
    row.band.setAttribute("height", ROW + bottom);
    row.element.setAttribute("transform", `translate(${MARGIN + row.depth * indent} ${y})`);
    if (row.line) row.line.setAttribute("d", `M${-indent} ${rows[row.parent].y - y + 8}V0H-8`);
    if (row.last > row.number) {
      row.element.setAttribute("aria-expanded", String(!isShut(row)));
      if (isShut(row)) hidden = row.last;
    }
    width = Math.max(width, 2 * MARGIN + row.depth * INDENT + row.letters * LETTER + 24);
  }
  tree.setAttribute("height", y + bottom + ROW);
  tree.setAttribute("width", narrow ? drawing.clientWidth : Math.ceil(width));
}

function show(row) {
  for (const number of above(row)) rows[number].folded = false;
  layOut();
}

function focusRow(row) {
  for (const other of rows) other.element.tabIndex = other === row ? 0 : -1;
  row.element.focus({ preventScroll: true });
  const top = row.y - drawing.clientHeight / 2;
  const left = row.columns ? 0 : MARGIN + row.depth * INDENT - 24;
  const isInHeight = row.y - ROW > drawing.scrollTop && row.y + ROW < drawing.scrollTop + drawing.clientHeight;
  const isInWidth = left >= drawing.scrollLeft && left + 200 < drawing.scrollLeft + drawing.clientWidth;
  drawing.scrollTo({ top: isInHeight ? drawing.scrollTop : top, left: isInWidth ? drawing.scrollLeft : left });
}

function mark() {
  const path = new Set(current < 0 ? opened : []);
  const chosen = document.activeElement && document.activeElement.closest(".row");
  if (chosen) for (const number of above(rows[Number(chosen.id.slice(4))])) path.add(number);
  for (const number of opened) path.add(number);
  for (const row of rows) row.element.classList.toggle("above", path.has(row.number));
}

function updateSearch() {
  const query = search.value.trim().toLowerCase();
  matches = query ? rows.filter((row) => row.text.includes(query)) : [];
  opened = new Set(matches.flatMap(above));
  current = -1;
  tree.classList.toggle("searching", query !== "");
  for (const row of rows) row.element.classList.remove("hit");
  for (const row of matches) row.element.classList.add("hit");
  previous.disabled = next.disabled = matches.length === 0;
  layOut();
  mark();
  count(query);
  if (matches.length) drawing.scrollTo({ top: matches[0].y - 3 * ROW });
}

function count(query) {
  const total = `${matches.length} ${matches.length === 1 ? "hit" : "hits"}`;
  hits.value = !query ? "" : current < 0 ? total : `${current + 1} of ${total}`;
}

function jump(by) {
  if (!matches.length) return;
  current = current < 0 && by < 0 ? matches.length - 1 : (current + by + matches.length) % matches.length;
  focusRow(matches[current]);
  count(true);
}

function fold(row, folded) {
  if (row.last === row.number) return;
  row.folded = folded;
  if (folded) opened.delete(row.number);
  layOut();
}

function step(row, by) {
  let at = row.number + by;
  while (rows[at] && rows[at].element.classList.contains("away")) at += by;
  if (rows[at]) focusRow(rows[at]);
}

const KEYS = {
  ArrowDown: (row) => step(row, 1),
  ArrowUp: (row) => step(row, -1),
  ArrowRight: (row) => (isShut(row) ? fold(row, false) : row.last > row.number && step(row, 1)),
  ArrowLeft: (row) =>
    row.last > row.number && !isShut(row)
      ? fold(row, true)
      : row.parent !== null && focusRow(rows[row.parent]),
  Enter: (row) => (current >= 0 && matches[current] === row ? jump(1) : fold(row, !isShut(row))),
  " ": (row) => fold(row, !isShut(row)),
  Home: () => focusRow(rows[0]),
  End: () => focusRow(rows.findLast((row) => !row.element.classList.contains("away"))),
};

function rowOf(event) {
  const element = event.target.closest(".row");
  return element && rows[Number(element.id.slice(4))];
}

tree.addEventListener("click", (event) => {
  const row = rowOf(event);
  if (!row || String(getSelection())) return;
  focusRow(row);
  fold(row, !isShut(row));
});
tree.addEventListener("keydown", (event) => {
  const row = rowOf(event);
  if (!row || event.ctrlKey || event.altKey || event.metaKey || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key](row);
});
tree.addEventListener("focusin", mark);
tree.addEventListener("focusout", mark);
search.addEventListener("input", updateSearch);
search.addEventListener("keydown", (event) => {
  if (event.key === "Enter") {
    event.preventDefault();
    jump(event.shiftKey ? -1 : 1);
  } else if (event.key === "Escape") {
    search.value = "";
    updateSearch();
  }
});
previous.addEventListener("click", () => jump(-1));
next.addEventListener("click", () => jump(1));
document.getElementById("unfold").addEventListener("click", () => {
  for (const row of rows) row.folded = false;
  layOut();
});
document.getElementById("fold").addEventListener("click", () => {
  for (const row of rows) row.folded = "fold" in row.element.dataset;
  layOut();
});

// The target of a link to a site or a row may be folded away.
function follow() {
  const target = document.getElementById(location.hash.slice(1));
  if (!target) return;
  for (let at = target.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
  if (target.classList.contains("row")) {
    const row = rows[Number(target.id.slice(4))];
    show(row);
    document.getElementById("graph").scrollIntoView();
    focusRow(row);
  } else {
    target.scrollIntoView();
  }
}

let laidOut = drawing.clientWidth;
layOut();
addEventListener("resize", () => {
  if (drawing.clientWidth === laidOut) return;
  laidOut = drawing.clientWidth;
  layOut();
});
addEventListener("hashchange", follow);
follow();
