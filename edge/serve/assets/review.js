"use strict";
// The review of one sample: shows one cell or many, takes answers by key, click or touch. All words come from the server, and are put
// in place as text, never as HTML.
import { Sender } from "./review-send.js";
import { base, paint, Pictures, View } from "./review-view.js";

const at = (id) => document.getElementById(id);
const place = { row: at("review").dataset.row, sample: at("review").dataset.sample, model: at("review").dataset.model };
const AHEAD = 6; // pictures fetched before they are shown
const STORE = `edge-reader ${place.sample}`;
const buttons = [...document.querySelectorAll("button.answer")];

const pictures = new Pictures(place.row);
const view = new View(at("view"), pictures, seen);
const sender = new Sender(place, heard);
pictures.strange = () => sender.go(ask());

let reader = "";
let blind = false;
let more = 0;
let list = []; // cells to come; the first is the one that is shown
let past = []; // cells that were answered, oldest first: { item, said }
let pastAt = -1; // which of them is shown; -1: none, the first of the list is
let history = []; // groups of answers that undo takes back one by one
let given = new Set(); // what was answered here and not taken back
let skipped = new Map();
let gone = new Set();
let tiles = []; // of the view of many: { item, chosen, said, ready }
let grid = false;
let told = null; // what the server said last
let shown = null; // the cell that is on the canvas, whole
let shownAt = 0;
let ending = ""; // why the round is over

let typical = 0; // pixels of a usual cell: all are shown at its scale

const keyOf = (item) => `${item.cell}/${item.reading}`;
const current = () => (pastAt >= 0 ? past[pastAt].item : list[0]);
const ask = () => ({ reader, blind, more });

// Pictures know nothing of cells that are not boxes: a cell is drawn at the scale of its sample.
function sized(items) {
  if (!typical && items.length) {
    const sides = items.map((item) => Math.max(item.box[2], item.box[3])).sort((a, b) => a - b);
    typical = sides[Math.floor(sides.length / 2)];
  }
  return items.map((item) => ({ ...item, typical }));
}

function put(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function show(element, words) {
  put(element, words);
  element.hidden = !words;
}

// Who reads

function remember() {
  try {
    sessionStorage.setItem(STORE, JSON.stringify({ reader, blind, more }));
  } catch {
    // no store: the name is asked for again after a reload
  }
}

// Names that were given in this browser: one person is not to become two by a slip.
const NAMES = "edge-readers";

function names() {
  try {
    const known = JSON.parse(localStorage.getItem(NAMES) || "[]");
    return Array.isArray(known) ? known.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

function offerNames() {
  at("readers-known").replaceChildren(...names().map((name) => {
    const option = document.createElement("option");
    option.value = name;
    return option;
  }));
}

function begin() {
  try {
    localStorage.setItem(NAMES, JSON.stringify([reader, ...names().filter((one) => one !== reader)].slice(0, 8)));
  } catch {
    // no store
  }
  list = []; past = []; history = []; tiles = [];
  given = new Set(); skipped = new Map(); gone = new Set();
  pastAt = -1; told = null; shown = null; view.item = null;
  for (const button of buttons) button.disabled = true;
  remember();
  at("start").hidden = true;
  at("done").hidden = true;
  at("desk").hidden = false;
  at("change").hidden = false;
  put(at("change"), `Reader: ${reader}`);
  at("blind").setAttribute("aria-pressed", String(blind));
  at("main").focus({ preventScroll: true });
  render();
  sender.go(ask());
}

at("start").addEventListener("submit", (event) => {
  event.preventDefault();
  reader = at("reader").value.trim();
  blind = at("blind-first").checked;
  more = 0;
  if (reader) begin();
  else show(at("start-said"), "Say first who reads.");
});

at("change").addEventListener("click", () => {
  at("desk").hidden = at("done").hidden = at("change").hidden = true;
  at("start").hidden = false;
  at("blind-first").checked = blind;
  at("reader").value = "";
  offerNames();
  at("reader").focus();
});

// What the server says

function heard(news) {
  const { waiting } = news;
  at("link").classList.toggle("bad", !news.well);
  put(at("link"), news.well ? "" : `${news.why}. ${waiting === 1 ? "1 answer waits" : `${waiting} answers wait`} in this browser`);
  show(at("alert"), news.said);
  if (!news.told) return;
  const first = !told;
  told = news.told;
  told.cells = sized(told.cells);
  told.mine = sized(told.mine);
  if (first) {
    past = told.mine.filter((one) => !given.has(keyOf(one))).map((one) => ({ item: one, said: one.said })).concat(past);
    history = past.map((one) => [one.item]);
  }
  const open = (item) => !given.has(keyOf(item)) && !skipped.has(keyOf(item)) && !gone.has(keyOf(item));
  const coming = told.cells.filter(open);
  const there = new Set(told.cells.map(keyOf));
  const stay = list.filter((item, i) => open(item) && (i === 0 || there.has(keyOf(item)))).slice(0, Math.max(AHEAD, tiles.length));
  const staying = new Set(stay.map(keyOf));
  list = [...stay, ...coming.filter((item) => !staying.has(keyOf(item)))];
  verdict(told.verdict);
  show(at("hidden"), told.hidden);
  if (at("done").hidden) render();
  else final();
}

function verdict(now) {
  at("after").hidden = !now;
  if (!now) return;
  put(at("flag"), now.flag);
  at("flag").className = `flag ${now.flag.split(" ")[0]}`;
  put(at("machine-flag"), now.machine);
  put(at("short"), now.short);
  put(at("confirmed"), now.confirmed);
  put(at("share"), now.share);
  lines(at("reasons"), now.reasons);
  lines(at("readers"), now.readers);
  at("why").hidden = !now.reasons.length;
}

function lines(parent, words) {
  if (parent.dataset.key === JSON.stringify(words)) return;
  parent.dataset.key = JSON.stringify(words);
  parent.replaceChildren(...words.map((one) => {
    const line = document.createElement("li");
    line.textContent = one;
    return line;
  }));
}

// What is shown

function render() {
  if (at("desk").hidden) return;
  at("one").hidden = grid;
  at("many").hidden = !grid;
  at("grid").setAttribute("aria-pressed", String(grid));
  if (told) {
    put(at("progress"), `${told.progress}, ${Math.max(0, told.left - gone.size)} to go`);
    at("bar").value = told.share;
  }
  const n = gone.size;
  show(at("gone"), n ? `${n === 1 ? "1 cell" : `${n} cells`} cannot be shown: the picture is gone. ${n === 1 ? "It counts" : "They count"} as not looked at.` : "");
  at("undo").disabled = !history.length;
  at("back").disabled = grid || (pastAt >= 0 ? pastAt === 0 : !past.length);
  at("skip").disabled = grid || !current();
  if (told && !list.length && pastAt < 0 && !tiles.some((one) => !one.said)) {
    if (sender.settled) return over();
    // the answers so far may call for more cells
    for (const button of buttons) button.disabled = true;
    show(at("over"), "Wait for what comes next");
    return undefined;
  }
  if (grid) {
    put(at("machine"), "Select cells, then say what they are");
    for (const button of buttons) {
      button.disabled = false;
      button.removeAttribute("aria-pressed");
    }
    if (!tiles.length) deal();
    return mind();
  }
  const item = current();
  if (item && item !== view.item) {
    shown = null;
    view.show(item);
    at("view").setAttribute("aria-label", `Cell ${item.cell} in its field`);
  }
  seen();
  put(at("machine"), item ? item.words || "What the machine says is hidden" : "");
  const said = pastAt >= 0 ? past[pastAt].said : null;
  for (const button of buttons) {
    const match = said && button.dataset.answer === said.answer && button.dataset.label === said.label && button.dataset.stage === said.stage;
    if (match) button.setAttribute("aria-pressed", "true");
    else button.removeAttribute("aria-pressed");
  }
  mind();
}

// A cell that stands on the canvas may be answered; one whose picture is gone leaves the list.
function seen() {
  at("whole").setAttribute("aria-pressed", String(view.wide));
  const item = current();
  if (!item || grid || view.item !== item) return;
  const picture = pictures.now(item.cell, base(item));
  if (picture === null) return lost(item);
  if (picture && shown !== item) {
    shown = item;
    shownAt = performance.now();
  }
  at("one").classList.toggle("waiting", !picture);
  show(at("over"), picture ? "" : "Wait for the picture");
  for (const button of buttons) button.disabled = !picture;
}

function lost(item) {
  gone.add(keyOf(item));
  list = list.filter((one) => one !== item);
  if (pastAt >= 0) pastAt = -1;
  setTimeout(render, 0);
}

function mind() {
  const coming = (pastAt >= 0 ? [current()] : []).concat(grid ? tiles.map((one) => one.item) : [], list.slice(0, grid ? tiles.length * 2 : AHEAD));
  for (const item of coming) {
    pictures.get(item.cell, base(item), false).then((found) => {
      if (found === null && !gone.has(keyOf(item)) && list.includes(item)) lost(item);
      else if (found && item === current()) view.draw();
    });
  }
  if (!grid) for (const item of list.slice(0, 2)) if (pictures.now(item.cell, base(item))) pictures.get(item.cell, "near", false);
}

setInterval(() => {
  // a picture that did not come is asked for again
  if (!at("desk").hidden && current() && !grid && shown !== current()) render();
}, 1500);

// Answers

function flash(button) {
  button.classList.add("hit");
  setTimeout(() => button.classList.remove("hit"), 160);
}

function choose(button) {
  const said = { answer: button.dataset.answer, label: button.dataset.label, stage: button.dataset.stage };
  if (grid) return chooseMany(said, button);
  const item = current();
  if (!item || shown !== item) return undefined;
  flash(button);
  keep(item, said, (performance.now() - shownAt) / 1000);
  history.push([item]);
  if (pastAt >= 0) {
    past[pastAt].said = said;
    pastAt = pastAt + 1 < past.length ? pastAt + 1 : -1;
  } else {
    past.push({ item, said });
    list.shift();
  }
  put(at("said"), `${button.dataset.words}: cell ${item.cell}`);
  sender.go(ask());
  render();
  return undefined;
}

function keep(item, said, seconds) {
  given.add(keyOf(item));
  skipped.delete(keyOf(item));
  sender.put(reader, { cell: item.cell, part: item.part, reading: item.reading, blind, seconds: Math.round(seconds * 100) / 100, ...said });
}

function undo() {
  const group = history.pop();
  if (!group) return;
  const keys = new Set(group.map(keyOf));
  for (const item of group) {
    keep(item, { answer: "withdrawn", label: "", stage: "" }, 0);
    given.delete(keyOf(item));
  }
  history = history.map((one) => one.filter((item) => !keys.has(keyOf(item)))).filter((one) => one.length);
  past = past.filter((one) => !keys.has(keyOf(one.item)));
  pastAt = -1;
  list = [...group, ...list.filter((item) => !keys.has(keyOf(item)))];
  const known = tiles.filter((tile) => keys.has(keyOf(tile.item)));
  for (const tile of known) tile.said = null;
  if (grid && known.length < group.length) tiles = [];
  if (grid) mark();
  put(at("said"), group.length === 1 ? `Taken back: cell ${group[0].cell}` : `Taken back: ${group.length} answers`);
  at("done").hidden = true;
  at("desk").hidden = false;
  sender.go(ask());
  render();
}

function back() {
  if (grid || !past.length || pastAt === 0) return;
  pastAt = (pastAt < 0 ? past.length : pastAt) - 1;
  put(at("said"), "Looking back: another answer takes the place of yours");
  render();
}

function skip() {
  if (grid || !current()) return;
  if (pastAt >= 0) pastAt = pastAt + 1 < past.length ? pastAt + 1 : -1;
  else {
    const item = list.shift();
    skipped.set(keyOf(item), item);
    put(at("said"), `Skipped: cell ${item.cell}`);
  }
  render();
}

// Many at once

function deal() {
  const most = window.innerWidth < 560 ? 9 : window.innerWidth < 1000 ? 12 : 15;
  tiles = list.filter((item) => item.reading === 0).slice(0, most).map((item) => ({ item, chosen: false, said: null, ready: false }));
  shownAt = performance.now();
  at("tiles").replaceChildren(...tiles.map((tile) => {
    const line = document.createElement("li");
    const button = document.createElement("button");
    const image = document.createElement("canvas");
    const badge = document.createElement("span");
    button.type = "button";
    button.className = "tile";
    button.setAttribute("aria-pressed", "false");
    button.disabled = true;
    button.setAttribute("aria-label", `Cell ${tile.item.cell}`);
    button.append(image, badge);
    button.addEventListener("click", (event) => {
      if (event.detail) button.blur();
      tile.chosen = !tile.chosen;
      mark();
    });
    tile.button = button;
    tile.badge = badge;
    tile.image = image;
    pictures.get(tile.item.cell, base(tile.item)).then((found) => {
      if (!found) {
        badge.textContent = found === null ? "gone" : "not here yet";
        return;
      }
      paint(image, pictures, tile.item);
      tile.ready = true;
      button.disabled = false;
    });
    line.append(button);
    return line;
  }));
}

function mark() {
  for (const tile of tiles) {
    tile.button.setAttribute("aria-pressed", String(tile.chosen));
    tile.button.dataset.tone = tile.said ? tile.said.tone : "";
    if (tile.ready) put(tile.badge, tile.said ? tile.said.words : "");
  }
}

function chooseMany(said, button) {
  const chosen = tiles.filter((tile) => tile.chosen && tile.ready);
  if (!chosen.length) return put(at("said"), "Select cells first: click them, or select all with A");
  flash(button);
  const each = (performance.now() - shownAt) / 1000 / chosen.length;
  shownAt = performance.now();
  for (const tile of chosen) {
    keep(tile.item, said, each);
    past = past.filter((one) => keyOf(one.item) !== keyOf(tile.item));
    past.push({ item: tile.item, said });
    tile.chosen = false;
    tile.said = { words: button.dataset.words, tone: button.classList[1] };
  }
  history.push(chosen.map((tile) => tile.item));
  const keys = new Set(chosen.map((tile) => keyOf(tile.item)));
  list = list.filter((item) => !keys.has(keyOf(item)));
  put(at("said"), `${button.dataset.words}: ${chosen.length === 1 ? "1 cell" : `${chosen.length} cells`}`);
  mark();
  sender.go(ask());
  return render();
}

at("all").addEventListener("click", () => selectAll());
at("further").addEventListener("click", () => further());

function selectAll() {
  for (const tile of tiles) tile.chosen = tile.ready && !tile.said;
  mark();
}

function further() {
  const open = tiles.filter((tile) => !tile.said);
  for (const { item } of open) skipped.set(keyOf(item), item);
  list = list.filter((item) => !skipped.has(keyOf(item)));
  if (open.length) put(at("said"), `Skipped: ${open.length === 1 ? "1 cell" : `${open.length} cells`}`);
  tiles = [];
  at("tiles").replaceChildren();
  render();
}

function toGrid() {
  grid = !grid;
  pastAt = -1;
  tiles = [];
  view.item = null;
  render();
}

// The end of a round

function over(by = "") {
  at("desk").hidden = true;
  at("done").hidden = false;
  at("on").hidden = !list.length;
  at("more").hidden = list.length > 0;
  sender.go({ ...ask(), done: true });
  ending = by || "You have looked at all cells that were asked for.";
  final();
  at("done-title").focus({ preventScroll: true });
}

function final() {
  const now = told && told.verdict;
  put(at("done-flag"), now ? now.flag : "");
  at("done-flag").className = now ? `flag ${now.flag.split(" ")[0]}` : "flag";
  put(at("done-progress"), told ? told.progress : "");
  at("skipped").hidden = !skipped.size;
  put(at("skipped"), skipped.size === 1 ? "Look at the skipped cell again" : `Look at the ${skipped.size} skipped cells again`);
  put(at("done-words"), [ending, now ? now.short : "", at("gone").textContent].filter(Boolean).join(" "));
}

function again() {
  at("done").hidden = true;
  at("differ").hidden = true;
  at("desk").hidden = false;
  view.item = null;
  render();
}

at("finish").addEventListener("click", () => over("You may go on at any time: your answers are kept."));
at("on").addEventListener("click", again);
at("more").addEventListener("click", () => {
  more += 1;
  remember();
  told = { ...told, left: 1 };
  at("done").hidden = true;
  at("desk").hidden = false;
  sender.go(ask());
});
at("skipped").addEventListener("click", () => {
  list = [...skipped.values(), ...list];
  skipped = new Map();
  again();
});

at("others").addEventListener("click", async () => {
  at("differ").hidden = false;
  put(at("differ-words"), "Looking…");
  const body = { reader, sample: place.sample, model: place.model };
  try {
    const answer = await fetch(`/api/review/${place.row}/differences`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": sender.csrf },
      body: JSON.stringify(body),
    });
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.said);
    const { n } = found;
    put(at("differ-words"), n ? `Readers differ on ${n === 1 ? "1 cell" : `${n} cells`} that you have read.` : "Nobody differs from you on a cell that you have read.");
    at("differences").replaceChildren(...sized(found.cells).map(difference));
  } catch (error) {
    put(at("differ-words"), error.message || "Not connected.");
  }
});

function difference(item) {
  const line = document.createElement("li");
  const image = document.createElement("canvas");
  image.setAttribute("role", "img");
  image.setAttribute("aria-label", `Cell ${item.cell}`);
  pictures.get(item.cell, base(item)).then((found) => found && paint(image, pictures, item));
  const words = document.createElement("ul");
  words.className = "plain";
  lines(words, item.others);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "small";
  button.textContent = "Look again";
  button.addEventListener("click", () => {
    const one = { ...item, words: item.others.join(" · ") };
    grid = false;
    pastAt = -1;
    past = past.filter((old) => keyOf(old.item) !== keyOf(one));
    given.delete(keyOf(one));
    list = [one, ...list];
    again();
  });
  line.append(image, words, button);
  return line;
}

// Keys and buttons

const steps = {
  z: undo, ArrowLeft: back, ArrowRight: skip, " ": skip, m: toGrid, v: toBlind, c: toField, b: toMarks,
  "+": () => view.zoom(1 / 1.35), "=": () => view.zoom(1 / 1.35), "-": () => view.zoom(1.35), 0: () => view.reset(),
  a: () => grid && selectAll(), Enter: () => grid && further(),
};

function toField() {
  view.around();
}

function toMarks() {
  view.marks = !view.marks;
  at("marks").setAttribute("aria-pressed", String(view.marks));
  view.draw();
}

function toBlind() {
  blind = !blind;
  remember();
  at("blind").setAttribute("aria-pressed", String(blind));
  list = list.slice(0, 1);
  if (blind && list.length) list[0] = { ...list[0], words: "" };
  tiles = [];
  render();
  sender.go(ask());
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || at("desk").hidden) return;
  const on = event.target;
  if (on instanceof HTMLInputElement || on instanceof HTMLTextAreaElement) return;
  if ((event.key === " " || event.key === "Enter") && on instanceof HTMLElement && on.matches("button, a, summary")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const answer = buttons.find((button) => button.dataset.key === key);
  if (!answer && !steps[key]) return;
  event.preventDefault();
  if (event.repeat && !"+-=".includes(key)) return; // a key that is held down answers once
  if (answer) choose(answer);
  else steps[key]();
});

for (const button of buttons) button.addEventListener("click", () => choose(button));
for (const [id, step] of Object.entries({ undo, back, skip, grid: toGrid, blind: toBlind, whole: toField, marks: toMarks })) at(id).addEventListener("click", step);
at("in").addEventListener("click", () => view.zoom(1 / 1.35));
at("out").addEventListener("click", () => view.zoom(1.35));
// After a click no button keeps the focus: the space bar must skip, not press it once more.
at("desk").addEventListener("click", (event) => {
  if (event.detail && document.activeElement instanceof HTMLButtonElement) document.activeElement.blur();
});

// A page that was loaded again goes on where it was.
try {
  const before = JSON.parse(sessionStorage.getItem(STORE) || "null");
  if (before && before.reader) {
    ({ reader, blind, more } = before);
    begin();
  }
} catch {
  // no store
}
if (!reader) {
  offerNames();
  at("reader").focus();
  sender.go(null);
}
