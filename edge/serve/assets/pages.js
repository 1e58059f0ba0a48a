"use strict";
// Health, PIN and tablet pages. All text goes in as text, never as HTML.
const at = (id) => document.getElementById(id);
const csrf = document.querySelector("meta[name=csrf]").content;

async function tell(path, values, token) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": token },
    body: JSON.stringify(values),
  });
  const said = await answer.json().catch(() => ({}));
  return { ok: answer.ok, said: said.said || "It did not answer." };
}

function show(element, words) {
  element.textContent = words;
  element.hidden = !words;
}

async function health() {
  const list = at("checks");
  try {
    const answer = await fetch("/api/health");
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.said);
    at("judged").textContent = found.words;
    for (const check of found.checks) {
      const item = document.createElement("li");
      item.className = `card check ${check.health.replace(" ", "-")}`;
      const name = document.createElement("h2");
      name.textContent = check.name;
      const state = document.createElement("strong");
      state.textContent = check.health;
      const says = document.createElement("p");
      says.textContent = check.says;
      item.append(name, state, says);
      if (check.remedy) {
        const remedy = document.createElement("p");
        remedy.className = "remedy";
        remedy.textContent = check.remedy;
        item.append(remedy);
      }
      list.append(item);
    }
  } catch (error) {
    at("judged").textContent = `The checks gave no answer: ${error.message || "load the page again"}`;
  }
  list.setAttribute("aria-busy", "false");
}

function enter(form) {
  const pin = at("pin");
  async function go() {
    const answer = await tell("/api/enter", { pin: pin.value }, form.dataset.token).catch(() => ({ said: "It did not answer." }));
    if (answer.ok) location.replace("/");
    else {
      show(at("enter-said"), answer.said);
      pin.select();
    }
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go();
  });
  const given = location.hash.slice(1);
  if (/^[0-9]+$/.test(given)) {
    history.replaceState(null, "", "/enter"); // a PIN has no place in the history
    pin.value = given;
    go();
  }
}

if (at("checks")) health();
if (at("enter")) enter(at("enter"));
if (at("new-pin")) {
  at("new-pin").addEventListener("click", async () => {
    const answer = await tell("/api/pin", {}, csrf).catch(() => ({ said: "It did not answer." }));
    if (answer.ok) location.reload();
    else show(at("pin-said"), answer.said);
  });
}
