"use strict";
// The live page. All words come from the server; here they are put in place, as text and never as HTML.
const at = (id) => document.getElementById(id);
const csrf = document.querySelector("meta[name=csrf]").content;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const seen = () => new Promise((done) => {
  if (!document.hidden) done();
  else document.addEventListener("visibilitychange", done, { once: true });
});

function show(element, words) {
  if (element.textContent !== words) element.textContent = words;
  if (element.hidden === Boolean(words)) element.hidden = !words;
}

function put(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

// What a person asks

async function tell(values) {
  let answer;
  try {
    answer = await fetch("/api/command", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
      body: JSON.stringify(values),
    });
  } catch {
    return { ok: false, status: 0, said: "The microscope does not answer." };
  }
  const found = await answer.json().catch(() => ({}));
  if (answer.status === 401) location.reload();
  return { ok: answer.ok, status: answer.status, said: answer.ok ? "" : found.said || "That did not work." };
}

async function press(values) {
  const answer = await tell(values);
  show(at("steer-said"), answer.said);
}

for (const one of ["pause", "resume", "take", "finish"]) at(one).addEventListener("click", () => press({ do: one }));

let wanted = false; // the form for the next sample is asked for while one is counted

function following(name) {
  const found = /^(.*?)([0-9]+)$/.exec(name);
  if (!found) return "";
  return found[1] + String(Number(found[2]) + 1).padStart(found[2].length, "0");
}

at("next").addEventListener("click", () => {
  wanted = true;
  at("sample-id").value = following(newest?.sample?.name || "");
  at("notes").value = "";
  steer();
  at("sample-id").focus();
});
at("begin-not").addEventListener("click", () => {
  wanted = false;
  refused("");
  steer();
  at("next").focus();
});

function refused(said) {
  show(at("begin-said"), said);
  at("begin-again").hidden = at("begin-resume").hidden = !said;
}

async function begin(more) {
  at("begin-go").disabled = true;
  const answer = await tell({ do: "start", sample: at("sample-id").value, notes: at("notes").value, ...more });
  at("begin-go").disabled = false;
  refused(answer.said);
  if (answer.status !== 409) at("begin-again").hidden = at("begin-resume").hidden = true;
  if (answer.ok) {
    wanted = false;
    at("sample-id").value = at("notes").value = "";
  }
}

at("begin").addEventListener("submit", (event) => {
  event.preventDefault();
  begin({});
});
at("begin-again").addEventListener("click", () => begin({ again: true }));
at("begin-resume").addEventListener("click", () => begin({ resume: true }));
at("sample-id").addEventListener("input", () => refused(""));

// Sound: none before somebody asked for it, as browsers want it

let audio = null;
at("sound").addEventListener("click", () => {
  const on = at("sound").getAttribute("aria-pressed") !== "true";
  at("sound").setAttribute("aria-pressed", String(on));
  if (on && !audio) audio = new (window.AudioContext || window.webkitAudioContext)();
  if (on) beep(true);
});

function beep(good) {
  if (!audio || at("sound").getAttribute("aria-pressed") !== "true") return;
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  const now = audio.currentTime;
  tone.frequency.value = good ? 880 : 262;
  volume.gain.setValueAtTime(0.3, now);
  volume.gain.exponentialRampToValueAtTime(0.001, now + (good ? 0.12 : 0.3));
  tone.connect(volume).connect(audio.destination);
  tone.start(now);
  tone.stop(now + 0.35);
}

// Status

let newest = null;
let spokenAt = 0;
let hintSpokenAt = 0;

function steer() {
  const can = newest.can;
  at("begin").hidden = !(can.start || (wanted && can.next));
  at("begin-not").hidden = can.start;
  put(at("begin-title"), can.start ? "Start a sample" : "Next sample");
  put(at("begin-go"), can.start ? "Start" : "Finish and start");
  at("steer").hidden = !(can.pause || can.resume || can.finish);
  at("pause").hidden = !can.pause;
  at("resume").hidden = !can.resume;
  at("take").disabled = !can.take;
  at("finish").disabled = !can.finish;
  at("next").disabled = !can.next;
  if (can.start && !at("steer-said").hidden) show(at("steer-said"), "");
}

function rows(body, items, make) {
  const key = JSON.stringify(items);
  if (body.dataset.key === key) return;
  body.dataset.key = key;
  body.replaceChildren(...items.map(make));
}

function element(tag, words, kind) {
  const made = document.createElement(tag);
  made.textContent = words;
  if (kind) made.className = kind;
  return made;
}

function sample(now) {
  at("sample").hidden = !now;
  if (!now) return;
  put(at("name"), now.name);
  show(at("ended"), now.ended);
  put(at("cells"), now.cells);
  show(at("short"), now.short);
  put(at("share"), now.share);
  at("verdict").hidden = !now.flag;
  at("verdict").dataset.flag = now.flag;
  put(at("flag-word"), now.ended ? "Flag" : "Flag so far");
  put(at("flag"), now.flag);
  rows(at("reasons"), now.reasons, (reason) => element("li", reason));
  rows(at("counts"), now.counts, (one) => {
    const row = document.createElement("tr");
    const head = element("th", one.label, one.positive ? "positive" : "");
    head.scope = "row";
    row.append(head, element("td", one.count));
    return row;
  });
  put(at("kept"), now.kept);
  at("left-out-row").hidden = !now.left_out.length;
  rows(at("left-out"), now.left_out, (one) => element("li", `${one.times} × ${one.why}`));
  at("lost-row").hidden = !now.lost;
  put(at("lost"), now.lost);
  put(at("time"), now.time);
  put(at("left"), now.left);
  at("notes-row").hidden = !now.notes;
  put(at("sample-notes"), now.notes);
}

function view(now) {
  if (!now) return;
  const percent = (share) => `${(100 * Math.min(1, share)).toFixed(1)}%`;
  const meter = at("focus");
  meter.classList.toggle("sharp", now.sharp);
  meter.setAttribute("aria-valuenow", Math.round(100 * now.focus));
  meter.setAttribute("aria-valuetext", now.focus_words);
  at("focus-bar").style.width = percent(now.focus);
  at("focus-best").style.left = percent(now.best);
  at("focus-needed").hidden = now.needed === null;
  if (now.needed !== null) at("focus-needed").style.left = percent(now.needed);
  put(at("focus-words"), now.focus_words);
  put(at("light"), now.light);
  show(at("exposure"), now.warning);
  const top = Math.max(0.02, ...now.histogram);
  const step = 320 / Math.max(1, now.histogram.length);
  const bars = now.histogram.map((share, i) => {
    const tall = 46 * Math.sqrt(share / top);
    return `M${(i * step).toFixed(1)} 46v${(-tall).toFixed(1)}h${(step - 1).toFixed(1)}v${tall.toFixed(1)}z`;
  });
  at("histogram").firstElementChild.setAttribute("d", bars.join(""));
}

function take(now) {
  const before = newest;
  newest = now;
  if (before && now.taken > before.taken) beep(!(now.last && now.last.why_not));
  at("say").dataset.tone = now.tone;
  put(at("hint"), now.hint);
  put(at("words"), now.words);
  put(at("camera"), [now.camera.name, now.camera.words].filter(Boolean).join(": "));
  at("camera").classList.toggle("bad", !now.camera.well);
  show(at("lamp-moved"), now.light);
  sample(now.sample);
  view(now.view);
  show(at("last-why"), now.last && now.last.why_not ? `The last field does not count: ${now.last.why_not}.` : "");
  steer();
  speak(now);
}

function speak(now) {
  // A screen reader is told what to do at most every two seconds, and counts at most every twenty.
  const time = Date.now();
  if (at("spoken-hint").textContent !== now.hint && time - hintSpokenAt > 2000) {
    hintSpokenAt = time;
    at("spoken-hint").textContent = now.hint;
  }
  if (now.sample && time - spokenAt > 20000) {
    spokenAt = time;
    put(at("spoken-counts"), now.sample.spoken);
  }
}

function linked(words, well) {
  put(at("link"), words);
  at("link").classList.toggle("bad", !well);
}

let heardAt = 0;

async function poll() {
  // Status by plain requests while no stream comes: browsers or proxies without Server-Sent Events, a server that restarts.
  for (;;) {
    await wait(1000);
    await seen();
    if (Date.now() - heardAt < 12000) continue;
    try {
      const answer = await fetch("/api/status");
      if (answer.status === 401) location.reload();
      if (!answer.ok) throw new Error("busy");
      take(await answer.json());
      linked("Connected", true);
    } catch {
      linked("Not connected", false);
    }
  }
}

let stream = null;

function listen() {
  if (stream || !window.EventSource) return;
  stream = new EventSource("/api/events");
  stream.onmessage = (event) => {
    heardAt = Date.now();
    take(JSON.parse(event.data));
    linked("Connected", true);
  };
  stream.onerror = () => {
    heardAt = 0;
    linked("Not connected", false);
    if (stream.readyState === EventSource.CLOSED) {
      stream = null;
      setTimeout(listen, 3000);
    }
  };
}

document.addEventListener("visibilitychange", () => {
  // A page that nobody looks at holds no connection: a browser has six of them for all its pages here.
  if (document.hidden && stream) {
    stream.close();
    stream = null;
  } else if (!document.hidden) listen();
});

// Picture

const EVERY_MS = 75; // between two pictures: more of them cost the processor that counts, and show nothing more
let frame = -1;
let drawnAt = 0;
window.framesDrawn = 0;

async function picture(blob) {
  if (window.createImageBitmap) return createImageBitmap(blob);
  const image = new Image();
  image.src = URL.createObjectURL(blob);
  await image.decode();
  URL.revokeObjectURL(image.src);
  return image;
}

async function look() {
  const canvas = at("view");
  const pen = canvas.getContext("2d", { alpha: false });
  for (;;) {
    await seen();
    const began = Date.now();
    try {
      const answer = await fetch(`/api/preview?after=${frame}`);
      if (answer.status === 200) {
        frame = Number(answer.headers.get("X-Frame"));
        const image = await picture(await answer.blob());
        if (canvas.width !== image.width || canvas.height !== image.height) {
          canvas.width = image.width;
          canvas.height = image.height;
        }
        pen.drawImage(image, 0, 0);
        inView = Number(answer.headers.get("X-Field"));
        boxes();
        if (image.close) image.close();
        window.framesDrawn += 1;
        drawnAt = Date.now();
        await wait(began + EVERY_MS - drawnAt);
      } else if (answer.status === 204) frame = -1;
      else await wait(1000);
    } catch {
      await wait(1000);
    }
  }
}

setInterval(() => {
  const none = Date.now() - drawnAt > 3000;
  at("frame").classList.toggle("stale", none);
  show(at("no-picture"), none ? (drawnAt ? "No new picture" : "No picture yet") : "");
}, 500);

let boxesOf = -1; // the field whose boxes are drawn or on their way
let inView = -1; // the field that the picture shows; -1: none that was taken

at("show-boxes").addEventListener("click", () => {
  const on = at("show-boxes").getAttribute("aria-pressed") !== "true";
  at("show-boxes").setAttribute("aria-pressed", String(on));
  boxes();
});

function boxes() {
  const fit = inView >= 0 && at("show-boxes").getAttribute("aria-pressed") === "true";
  at("boxes").classList.toggle("gone", !fit);
  if (fit && boxesOf !== inView) {
    boxesOf = inView;
    at("boxes").replaceChildren();
    draw();
  }
}

async function draw() {
  const svg = at("boxes");
  const shape = (name) => document.createElementNS("http://www.w3.org/2000/svg", name);
  try {
    const answer = await fetch("/api/boxes");
    const found = await answer.json();
    if (!answer.ok) return;
    boxesOf = found.field;
    svg.setAttribute("viewBox", `0 0 ${found.width || 1} ${found.height || 1}`);
    const drawn = [];
    for (const cell of found.cells) {
      const [x, y, w, h] = cell.box;
      const box = shape("rect");
      for (const [name, value] of Object.entries({ x, y, width: w, height: h, class: cell.kind })) box.setAttribute(name, value);
      drawn.push(box);
      if (cell.label) {
        const label = shape("text");
        label.setAttribute("x", x);
        label.setAttribute("y", y > 30 ? y - 6 : y + h + 24);
        label.textContent = cell.label;
        drawn.push(label);
      }
    }
    svg.replaceChildren(...drawn);
  } catch {
    boxesOf = -1;
  }
}

// The virtual microscope

const STEP = 20; // µm that an arrow moves the stage
const FAR = 150; // µm to a field that was not seen

async function move(name, values) {
  const answer = await tell({ do: "camera", name, values });
  show(at("simulated-said"), answer.said);
}

function byHand(name, values) {
  at("hand").checked = false; // who turns a knob has taken over
  move(name, values);
}

if (at("simulated")) {
  for (const button of document.querySelectorAll("[data-move]")) {
    button.addEventListener("click", () => {
      if (button.dataset.move === "far") byHand("move", { dx: FAR, dy: 0 });
      else {
        const [x, y] = button.dataset.move.split(",").map(Number);
        byHand("move", { dx: x * STEP, dy: y * STEP });
      }
    });
  }
  for (const button of document.querySelectorAll("[data-focus]")) {
    button.addEventListener("click", () => byHand("focus", { dz: Number(button.dataset.focus) }));
  }
  at("lamp").addEventListener("input", () => put(at("lamp-out"), Number(at("lamp").value).toFixed(2)));
  at("lamp").addEventListener("change", () => move("lamp", { value: Number(at("lamp").value) }));
  at("hand").addEventListener("change", () => move("hand", { on: at("hand").checked ? 1 : 0 }));
  if (at("break")) at("break").addEventListener("click", () => move("fault", { kind: at("fault").value, seconds: 5 }));
}

listen();
poll();
look();
