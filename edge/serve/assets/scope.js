"use strict";
// The set-up of the microscope. All words come from the server, and go in as text.
const at = (id) => document.getElementById(id);
const csrf = document.querySelector("meta[name=csrf]").content;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const EVERY_MS = 400; // between two looks at the status
const PICTURE_MS = 150; // between two pictures

function put(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function show(element, words) {
  put(element, words);
  element.hidden = !words;
}

// What a person says

async function tell(values) {
  try {
    const answer = await fetch("/api/command", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
      body: JSON.stringify(values),
    });
    const found = await answer.json().catch(() => ({}));
    if (answer.status === 401) location.reload();
    return { status: answer.status, said: answer.ok ? "" : found.said || "That did not work." };
  } catch {
    return { status: 0, said: "The microscope does not answer." };
  }
}

async function begin(anew) {
  const text = at("division").value.trim().replace(",", ".");
  const division = text ? Number(text) : null;
  if (Number.isNaN(division)) {
    show(at("begin-said"), "The distance of the lines is a number of µm.");
    return;
  }
  const [name, operator, objective] = ["scope-name", "operator", "objective"].map((id) => at(id).value.trim());
  const answer = await tell({ do: "begin-set-up", name, operator, objective, division, anew });
  show(at("begin-said"), answer.said);
  at("begin-anew").hidden = answer.status !== 409;
}

at("begin").addEventListener("submit", (event) => {
  event.preventDefault();
  begin(false);
});
at("begin-anew").addEventListener("click", () => begin(true));
at("scope-name").addEventListener("input", () => {
  show(at("begin-said"), "");
  at("begin-anew").hidden = true;
});

let step = ""; // that is shown
for (const ask of ["next", "again", "skip", "stop"]) {
  at(ask).addEventListener("click", async () => {
    const answer = await tell({ do: "set-up", ask, step });
    show(at("step-said"), answer.said);
  });
}

// What is shown

function facts(list, items) {
  const key = JSON.stringify(items);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(
    ...items.map((one) => {
      const row = document.createElement("div");
      for (const [tag, words] of [["dt", one.what], ["dd", one.value]]) {
        const cell = document.createElement(tag);
        cell.textContent = words;
        row.append(cell);
      }
      return row;
    }),
  );
}

function lines(list, words) {
  if (list.childElementCount !== words.length) {
    list.replaceChildren(
      ...words.map((line) => {
        const item = document.createElement("li");
        item.textContent = line;
        return item;
      }),
    );
  }
  list.hidden = !words.length;
}

let wasOpen = null; // whether a set-up went on at the last look

function take(status) {
  const now = status.set_up;
  const open = Boolean(now) && !now.done;
  put(at("camera"), status.camera.words);
  const lost = status.camera.well ? "" : status.camera.words;
  show(at("gone"), open ? lost : status.can.start ? "" : status.failure);
  at("steps").hidden = !open;
  at("done").hidden = !now || open;
  at("begin").hidden = !status.can.start;
  at("counted").hidden = open || status.can.start || Boolean(status.failure);
  lines(at("notes"), now ? now.notes : []);
  if (open) {
    const onward = step !== now.step;
    step = now.step;
    put(at("title"), now.title);
    if (onward) {
      show(at("step-said"), "");
      // The button that was pressed is switched off now: a keyboard goes on from the new step, and a screen reader says it.
      const focused = document.activeElement;
      if (focused === document.body || at("steps").contains(focused)) at("title").focus();
    }
    put(at("step-words"), now.words);
    put(at("progress"), now.progress);
    at("bar").hidden = !now.progress;
    at("bar").max = now.want || 1;
    at("bar").value = Math.min(now.have, now.want);
    put(at("good"), now.good);
    facts(at("measured"), now.measured);
    for (const ask of ["next", "again", "skip", "stop"]) at(ask).disabled = !now.can[ask];
  } else if (now) {
    put(at("done-title"), now.title);
    put(at("done-words"), now.done);
    facts(at("profile"), now.profile);
  }
  // What had the focus is gone: a keyboard goes on where the work does.
  if (wasOpen !== null && wasOpen !== open) at(open ? "title" : "done-title").focus();
  wasOpen = open;
}

async function poll() {
  for (;;) {
    if (!document.hidden) {
      try {
        const answer = await fetch("/api/status");
        if (answer.status === 401) location.reload();
        if (!answer.ok) throw new Error("busy");
        take(await answer.json());
      } catch {
        show(at("gone"), "The microscope does not answer.");
      }
    }
    await wait(EVERY_MS);
  }
}

async function look() {
  let frame = -1;
  for (;;) {
    await wait(PICTURE_MS);
    if (document.hidden || !wasOpen) continue;
    try {
      const answer = await fetch(`/api/preview?after=${frame}`);
      frame = answer.status === 200 ? Number(answer.headers.get("X-Frame")) : -1;
      if (answer.status !== 200) continue;
      const image = await createImageBitmap(await answer.blob());
      const canvas = at("view");
      if (canvas.width !== image.width) canvas.width = image.width;
      if (canvas.height !== image.height) canvas.height = image.height;
      canvas.getContext("2d").drawImage(image, 0, 0);
      image.close();
    } catch {
      await wait(1000);
    }
  }
}

poll();
look();
