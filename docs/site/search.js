// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// Shows the sections that have the words of ?q=, the best first, each with an excerpt.

const SHOWN = 40; // results
const EXCERPT = 240; // characters
// Sections with a smaller part of the query, by the weight of its words, are not results.
const PART = 0.6;

function setSections(sections) {
  const query = new URLSearchParams(location.search).get("q") ?? "";
  for (const input of document.querySelectorAll("input[name=q]")) input.value = query;
  const words = splitQuery(query);
  if (!query.trim()) return;
  const { results, unknown } = findSections(sections.map(readSection), words);
  showResults(results, words, unknown);
  // Sphinx's script marks these words on the next page. On this one, it removes them first.
  const marked = words.filter((word) => word.length > 2 && !unknown.includes(word));
  addEventListener("DOMContentLoaded", () => {
    localStorage.setItem("sphinx_highlight_terms", marked.join(" "));
  });
}

// A word may be copied from a message or a page: `--split`, [not-a-repository], "typedef".
function splitQuery(query) {
  const words = query.toLowerCase().split(/\s+/);
  const bare = words.map((word) => word.replace(/^[`'"([{<]+|[`'"()[\]{}<>.,:;?!]+$/g, ""));
  return [...new Set(bare.filter((word) => /[\p{L}\p{N}]/u.test(word)))];
}

function readSection([page, anchor, pageTitle, title, text]) {
  return {
    address: `${page}.html${anchor && `#${anchor}`}`,
    shown: title ? `${pageTitle} › ${title}` : pageTitle,
    pageTitle,
    title: title || pageTitle,
    text,
  };
}

// Returns the expression for a word. One that is not whole begins a longer word, or has another
// ending: "conflicts" finds "conflict", and "verifies" finds "verify".
function matchWord(word, isWhole) {
  const stem = /^\p{L}{5,}$/u.test(word) ? word.replace(/(ies|ied|ing|ed|es|s|y)$/, "") : word;
  const escaped = (isWhole ? word : stem).replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  // "split" finds --split, but "-split" does not.
  const before = word.startsWith("-") ? "[\\p{L}\\p{N}-]" : "[\\p{L}\\p{N}]";
  const after = isWhole ? "(?![\\p{L}\\p{N}_-])" : "[\\p{L}\\p{N}]*";
  return new RegExp(`(?<!${before})${escaped}${after}`, "iu");
}

// Returns how well a section has a word: best in its title, worst as a part of a longer word.
function rateWord({ title, pageTitle, text }, [whole, part]) {
  if (whole.test(title)) return 5;
  if (part.test(title)) return 3;
  const count = Math.min(listMatches(text, whole).length, 5);
  if (count) return 1 + count / 5;
  return whole.test(pageTitle) || part.test(text) ? 0.5 : 0;
}

// Returns the sections that have most of the words, and the words that no section has.
function findSections(sections, words) {
  const patterns = words.map((word) => [matchWord(word, true), matchWord(word, false)]);
  const rated = sections.map((section) => patterns.map((pair) => rateWord(section, pair)));
  // A word that few sections have says more than one that most of them have.
  const weights = words.map((_, at) => {
    const count = rated.filter((rates) => rates[at]).length;
    return count && Math.log(1 + sections.length / count);
  });
  const all = sum(weights);
  const phrase = words.join(" ");
  const results = sections.map((section, at) => {
    const found = sum(weights.filter((_, word) => rated[at][word]));
    let score = sum(weights.map((weight, word) => weight * rated[at][word]));
    if (section.title.toLowerCase() === phrase) score += 5 * all;
    else if (section.title.toLowerCase().includes(phrase)) score += 2 * all;
    else if (section.text.toLowerCase().includes(phrase)) score += all;
    return { section, score, isFound: found > 0 && found >= PART * all };
  });
  return {
    results: results
      .filter((result) => result.isFound)
      .sort((one, other) => other.score - one.score)
      .map(({ section }) => ({
        ...section,
        excerpt: cutExcerpt(section.text, patterns.map(([, part]) => part), weights),
      })),
    unknown: words.filter((_, at) => !weights[at]),
  };
}

function listMatches(text, pattern) {
  return Array.from(text.matchAll(new RegExp(pattern, "giu")), ({ 0: found, index }) => ({
    at: index,
    end: index + found.length,
  }));
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

// Returns the part of a text with the most words, as pairs of a text and whether it was found.
function cutExcerpt(text, patterns, weights) {
  const matches = patterns
    .flatMap((pattern, word) => listMatches(text, pattern).map((match) => ({ word, ...match })))
    .sort((one, other) => one.at - other.at);
  let [start, best] = [0, 0];
  for (const { at: first } of matches) {
    const near = matches.filter(({ at, end }) => at >= first && end <= first + EXCERPT / 2);
    const value = sum([...new Set(near.map(({ word }) => word))].map((word) => weights[word]));
    if (value > best) [start, best] = [first, value];
  }
  start = start < EXCERPT / 4 ? 0 : text.indexOf(" ", start - EXCERPT / 4) + 1;
  const isRest = text.length - start <= EXCERPT;
  const end = isRest ? text.length : text.lastIndexOf(" ", start + EXCERPT);
  const parts = [];
  let done = start;
  for (const match of matches) {
    if (match.at < done || match.end > end) continue;
    parts.push([text.slice(done, match.at), false], [text.slice(match.at, match.end), true]);
    done = match.end;
  }
  parts.push([text.slice(done, end), false]);
  return [[start ? "… " : "", false], ...parts, [end < text.length ? " …" : "", false]];
}

function showResults(results, words, unknown) {
  const output = document.getElementById("search-results");
  const status = output.appendChild(document.createElement("p"));
  status.setAttribute("role", "status");
  status.textContent = describeResults(results.length, words, unknown);
  const list = output.appendChild(document.createElement("ul"));
  list.className = "search";
  for (const { address, shown, excerpt } of results.slice(0, SHOWN)) {
    const item = list.appendChild(document.createElement("li"));
    const link = item.appendChild(document.createElement("a"));
    link.href = address;
    link.textContent = shown;
    const text = item.appendChild(document.createElement("p"));
    for (const [part, isFound] of excerpt) {
      const node = isFound ? document.createElement("mark") : document.createElement("span");
      if (isFound) node.className = "highlighted";
      node.textContent = part;
      text.append(node);
    }
  }
}

function describeResults(count, words, unknown) {
  const missing = unknown.length ? ` No page has: ${unknown.join(", ")}.` : "";
  if (!count) return `Nothing was found.${missing}`;
  const found = count === 1 ? "1 section was found" : `${count} sections were found`;
  return `${found}${count > SHOWN ? `; these are the best ${SHOWN}` : ""}.${missing}`;
}
