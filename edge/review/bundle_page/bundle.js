"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("bundle").textContent);
  const cells = data.cells;
  const longest = 60; // characters of a reader's name
  const mostSeconds = 3600; // an answer after a longer pause says nothing of reading
  const byKey = new Map(data.choices.filter((one) => one.key).map((one) => [one.key, one]));
  const empty = (reader) => ({ reader, answers: {}, given: [], at: 0, sent: {}, dirty: false });

  let state = empty("");
  let keeps = true; // whether the browser keeps the answers by itself
  let marks = true;
  let shownAt = 0;
  let seen = new Set(); // cells whose score was shown

  /* What is kept: by the bundle and the reader's name. */

  const place = (reader) => `edge-review/${data.bundle}/${reader}`;
  function keep() {
    try {
      localStorage.setItem(place(state.reader), JSON.stringify({ ...state, seen: [...seen] }));
      localStorage.setItem(`edge-review/${data.bundle}`, state.reader);
    } catch {
      keeps = false;
    }
  }
  function kept(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      keeps = false;
      return null;
    }
  }
  function recall(reader) {
    try {
      const found = JSON.parse(kept(place(reader)) || "null");
      if (found && typeof found.answers === "object") {
        seen = new Set(found.seen || []);
        return { ...empty(reader), ...found, reader };
      }
    } catch {
      /* changed by hand: begin anew */
    }
    seen = new Set();
    return empty(reader);
  }

  /* Pictures: decoded ahead, and let go of behind. */

  const pictures = new Map();
  function picture(id) {
    if (!pictures.has(id)) {
      const from = $(id);
      if (!from) return null;
      const made = new Image();
      made.src = `data:image/jpeg;base64,${from.textContent}`;
      made.addEventListener("load", draw);
      pictures.set(id, made);
      if (pictures.size > 40) pictures.delete(pictures.keys().next().value);
    }
    return pictures.get(id);
  }
  function ahead() {
    for (let i = state.at; i < Math.min(state.at + 6, cells.length); i++) {
      picture(`p-${cells[i].id}`);
      if (i < state.at + 2 && cells[i].field) picture(`f-${cells[i].field}`);
    }
  }

  /* The view: a square piece of the field, in field pixels. */

  const canvas = $("view");
  const view = { x: 0, y: 0, span: 1 };
  const cell = () => cells[state.at];
  const side = (one) => Math.max(one.box[2], one.box[3]);
  function home(times) {
    const one = cell();
    view.x = one.box[0] + one.box[2] / 2;
    view.y = one.box[1] + one.box[3] / 2;
    view.span = side(one) * times;
    limit();
    draw();
  }
  function widest() {
    const field = data.fields[cell().field];
    return field ? Math.max(field.w, field.h) * 1.05 : Math.max(cell().w, cell().h) * cell().scale;
  }
  function limit() {
    const near = side(cell());
    view.span = Math.min(Math.max(view.span, near * 1.1), Math.max(widest(), near * 1.5));
    const field = data.fields[cell().field];
    if (!field) return;
    const least = Math.min(canvas.clientWidth, canvas.clientHeight);
    for (const [axis, size, length] of [["x", field.w, canvas.clientWidth], ["y", field.h, canvas.clientHeight]]) {
      const half = (view.span * length) / least / 2;
      const [low, high] = [half - 1.5 * near, size - half + 1.5 * near];
      view[axis] = low > high ? size / 2 : Math.min(Math.max(view[axis], low), high);
    }
  }
  function zoom(times, at) {
    const before = view.span;
    view.span *= times;
    limit();
    if (at) {
      const moved = (before - view.span) / Math.min(canvas.clientWidth, canvas.clientHeight);
      view.x += at.x * moved;
      view.y += at.y * moved;
    }
    limit();
    draw();
  }
  function draw() {
    if ($("read").hidden) return;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const one = cell();
    const scale = Math.min(width, height) / view.span;
    const to = (x, y) => [width / 2 + (x - view.x) * scale, height / 2 + (y - view.y) * scale];
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, width, height);
    pen.imageSmoothingQuality = "high";
    const put = (shown, x, y, w, h) => shown && shown.naturalWidth && pen.drawImage(shown, ...to(x, y), w * scale, h * scale);
    const field = data.fields[one.field];
    if (field) put(picture(`f-${one.field}`), 0, 0, field.w, field.h);
    put(picture(`p-${one.id}`), one.x, one.y, one.w * one.scale, one.h * one.scale);
    if (marks) corners(pen, to, one.box, scale, ratio);
  }
  function corners(pen, to, box, scale, ratio) {
    const out = Math.max(3 * ratio, side(cell()) * scale * 0.06);
    const [left, top] = to(box[0], box[1]).map((at) => at - out);
    const right = left + box[2] * scale + 2 * out;
    const bottom = top + box[3] * scale + 2 * out;
    const long = Math.max(5 * ratio, Math.min(right - left, bottom - top) * 0.16);
    for (const [wide, colour] of [[5, "#000000a0"], [2, "#ffffff"]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = wide * ratio;
      pen.beginPath();
      for (const [x, y, dx, dy] of [[left, top, 1, 1], [right, top, -1, 1], [left, bottom, 1, -1], [right, bottom, -1, -1]]) {
        pen.moveTo(x + dx * long, y);
        pen.lineTo(x, y);
        pen.lineTo(x, y + dy * long);
      }
      pen.stroke();
    }
  }

  /* Answers. */

  function uuid() {
    const b = crypto.getRandomValues(new Uint8Array(16));
    b[6] = (b[6] & 15) | 64;
    b[8] = (b[8] & 63) | 128;
    const hex = [...b].map((one) => one.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }
  const told = (one) => { const a = state.answers[one.id]; return a && a.answer !== "withdrawn" ? a : null; };
  const answered = () => cells.filter(told).length;
  const same = (choice, given) => given && given.answer === choice.answer && given.label === choice.label && given.stage === choice.stage;
  const now = () => new Date().toISOString().replace(/\.\d+/, "");
  function answer(choice) {
    const one = cell();
    const seconds = Math.min((performance.now() - shownAt) / 1000, mostSeconds);
    if (!same(choice, told(one))) {
      state.answers[one.id] = {
        id: one.id, uuid: uuid(), answer: choice.answer, label: choice.label, stage: choice.stage,
        blind: !seen.has(one.id), seconds: Math.round(seconds * 10) / 10, at: now(),
      };
      state.dirty = true;
    }
    state.given = state.given.filter((id) => id !== one.id);
    state.given.push(one.id);
    say(`${state.at + 1}: ${choice.words}`);
    move(state.at + 1);
  }
  function undo() {
    const id = state.given.pop();
    if (!id) return say("There is nothing to undo.");
    if (state.sent[id]) state.answers[id] = { id, uuid: uuid(), answer: "withdrawn", label: "", stage: "", blind: !seen.has(id), seconds: null, at: now() };
    else delete state.answers[id];
    state.dirty = true;
    const at = cells.findIndex((one) => one.id === id);
    say(`${at + 1}: taken back`);
    move(at);
  }
  function say(words) { $("said").textContent = words; }

  /* Screens. */

  function show(name) {
    for (const one of ["start", "read", "end"]) $(one).hidden = one !== name;
    window.scrollTo(0, 0);
  }
  function move(at) {
    state.at = Math.max(0, Math.min(at, cells.length));
    keep();
    if (state.at === cells.length) return end();
    show("read");
    shownAt = performance.now();
    const one = cell();
    const given = told(one);
    const n = answered();
    $("progress").textContent = `${state.at + 1} of ${cells.length}, ${n} answered`;
    $("bar").max = cells.length;
    $("bar").value = n;
    canvas.setAttribute("aria-label", `Picture ${state.at + 1} of ${cells.length}: the ${data.unit} between the marks`);
    for (const button of $("choices").children) button.setAttribute("aria-pressed", String(Boolean(same(data.choices[button.value], given))));
    $("back").disabled = state.at === 0;
    $("undo").disabled = state.given.length === 0;
    machine();
    ahead();
    home(3);
  }
  function machine() {
    const on = $("tell").checked;
    if (on) seen.add(cell().id);
    $("machine").textContent = on ? `${cell().label}, score ${cell().score.toFixed(4)} (threshold ${data.threshold})` : "";
  }
  function pairs(list, rows) {
    list.replaceChildren(...rows.map(([name, value]) => {
      const row = document.createElement("div");
      for (const [tag, words] of [["dt", name], ["dd", value]]) row.appendChild(document.createElement(tag)).textContent = words;
      return row;
    }));
  }
  function end() {
    show("end");
    const n = answered();
    $("sum").textContent = `${n} of ${cells.length} answered.${n < cells.length ? ` ${cells.length - n} left out.` : ""}`;
    pairs($("counts"), data.choices.map((choice) => [choice.words, String(cells.filter((one) => same(choice, told(one))).length)]).filter((row) => row[1] !== "0"));
    $("again").hidden = n === cells.length;
    $("save").disabled = Object.keys(state.answers).length === 0;
    $("copy").value = file();
    $("saved").textContent = state.dirty ? "Not saved yet." : "";
    $("save").focus();
  }

  /* The file of answers. */

  function file() {
    const answers = cells.map((one) => state.answers[one.id]).filter(Boolean);
    return JSON.stringify({ format: "edge-review-answers", version: 1, bundle: data.bundle, reader: state.reader, answers }, null, 1);
  }
  function save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([file()], { type: "application/json" }));
    link.download = `answers-${data.bundle.slice(0, 8)}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    for (const id of Object.keys(state.answers)) state.sent[id] = true;
    state.dirty = false;
    keep();
    const words = `Saved as ${link.download}, where this browser puts what it downloads. Send that file back.`;
    $("saved").textContent = words;
    say(words);
  }
  async function earlier(event) {
    const chosen = event.target.files[0];
    if (!chosen) return;
    let found = null;
    try {
      found = JSON.parse(await chosen.text());
    } catch {
      /* said below */
    }
    const known = new Set(cells.map((one) => one.id));
    if (!found || found.format !== "edge-review-answers" || found.bundle !== data.bundle || !Array.isArray(found.answers)) {
      $("earlier-said").textContent = "That file holds no answers to this page.";
      return;
    }
    const reader = String(found.reader).slice(0, longest);
    state = recall(reader);
    for (const one of found.answers.filter((each) => each && known.has(each.id))) {
      if (!state.answers[one.id]) state.answers[one.id] = one;
      state.sent[one.id] = true;
    }
    state.given = Object.keys(state.answers).filter((id) => told({ id }));
    $("reader").value = reader;
    keep();
    $("earlier-said").textContent = `${answered()} answers of ${reader}. Begin goes on from there.`;
  }
  function begin(event) {
    event.preventDefault();
    const reader = $("reader").value.trim();
    if (!reader) return;
    state = recall(reader);
    const open = cells.findIndex((one) => !told(one));
    if (!cells.length) return;
    move(open < 0 ? cells.length : open);
  }
  function next() { move(state.at + 1); }
  function leftOut() { move(Math.max(0, cells.findIndex((one) => !told(one)))); }

  /* Keys, buttons, fingers. */

  const moves = {
    " ": next, ArrowRight: next, ArrowLeft: () => move(state.at - 1), z: undo, "+": () => zoom(1 / 1.3), "=": () => zoom(1 / 1.3),
    "-": () => zoom(1.3), 0: () => home(3), b: () => $("marks").click(),
    c: () => home(view.span < side(cell()) * 6 ? 9 : 3), v: () => $("tell").click(),
  };
  function key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || $("read").hidden) return;
    const on = document.activeElement;
    const pressed = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (on && on.tagName === "INPUT" && pressed === " ") return;
    if (on && on.tagName === "BUTTON" && pressed === " ") return;
    const choice = byKey.get(pressed);
    const act = choice ? () => answer(choice) : moves[pressed];
    if (!act) return;
    event.preventDefault();
    if (event.repeat && (choice || act === undo)) return; // a key that is held down is one answer
    act();
  }

  const fingers = new Map();
  const middle = () => { const all = [...fingers.values()]; return { x: all.reduce((sum, one) => sum + one.x, 0) / all.length, y: all.reduce((sum, one) => sum + one.y, 0) / all.length }; };
  const apart = () => { const [a, b] = [...fingers.values()]; return b ? Math.hypot(a.x - b.x, a.y - b.y) : 0; };
  const around = (x, y) => { const box = canvas.getBoundingClientRect(); return { x: x - box.left - box.width / 2, y: y - box.top - box.height / 2 }; };
  function drag(event) {
    if (!fingers.has(event.pointerId)) return;
    const [before, wide] = [middle(), apart()];
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const [after, wider] = [middle(), apart()];
    const scale = view.span / Math.min(canvas.clientWidth, canvas.clientHeight);
    view.x -= (after.x - before.x) * scale;
    view.y -= (after.y - before.y) * scale;
    zoom(wide && wider ? wide / wider : 1, around(after.x, after.y));
  }
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  canvas.addEventListener("pointermove", drag);
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15, around(event.clientX, event.clientY));
  }, { passive: false });

  function press(id, act) {
    $(id).addEventListener("click", () => {
      if (id !== "save" && id !== "last" && id !== "again") $(id).blur(); // so that space goes on skipping
      act();
    });
  }
  data.choices.forEach((choice, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.value = i;
    button.appendChild(document.createElement("kbd")).textContent = choice.key;
    button.append(` ${choice.words}`);
    button.addEventListener("click", () => { button.blur(); answer(choice); });
    $("choices").append(button);
  });
  press("farther", () => zoom(1.3));
  press("nearer", () => zoom(1 / 1.3));
  press("home", () => home(3));
  press("wide", () => home(9));
  press("marks", () => {
    marks = !marks;
    $("marks").setAttribute("aria-pressed", String(marks));
    draw();
  });
  press("back", () => move(state.at - 1));
  press("undo", undo);
  press("skip", next);
  press("save-now", save);
  press("save", save);
  press("again", leftOut);
  press("last", () => move(cells.length - 1));
  $("tell").addEventListener("change", () => { $("tell").blur(); machine(); keep(); });
  $("begin").addEventListener("submit", begin);
  $("earlier").addEventListener("change", earlier);
  document.addEventListener("keydown", key);
  new ResizeObserver(draw).observe(canvas);
  window.addEventListener("beforeunload", (event) => { if (state.dirty && !keeps) event.preventDefault(); });

  $("task").textContent = cells.length
    ? `${cells.length} pictures of ${data.unit}s that a machine looked at. Say of each one what it is; most take a second. They come in mixed order.`
    : "There is nothing to look at in this file.";
  pairs($("facts"), data.facts);
  pairs($("keys"), [
    ...data.choices.filter((one) => one.key).map((one) => [one.key, one.words]),
    ["z", "take the last answer back"], ["space, \u2192", "skip"], ["\u2190", "back"], ["+  \u2212", "nearer, farther (also wheel, two fingers)"],
    ["0", "back to the cell"], ["c", "the cell among its neighbours"], ["b", "marks on or off"], ["v", "show or hide what the machine says"],
  ]);
  $("reader").value = kept(`edge-review/${data.bundle}`) || "";
  show("start");
})();
