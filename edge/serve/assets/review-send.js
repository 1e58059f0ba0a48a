"use strict";
// Answers on their way to the book. Each is kept in the browser under its own key until the book has it, so that neither a lost
// network, a reload nor a killed server loses one. One request is under way at a time: answers reach the book in the order they were given.
const PREFIX = "edge-review ";
const MOST_LETTERS = 6000; // of a request, which may have 8,192 bytes
const MOST_ANSWERS = 25;

// How many answers to a sample wait in this browser.
export function waitingFor(sample) {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(`${PREFIX}${sample} `)).length;
  } catch {
    return 0;
  }
}

export class Sender {
  // place: { row, sample, model }; heard: is called after each try with { told, waiting, well, said, why }
  constructor(place, heard) {
    this.place = place;
    this.heard = heard;
    this.csrf = document.querySelector("meta[name=csrf]").content;
    this.ask = null;
    this.asked = 0; // number of the newest wish for a queue
    this.answered = 0;
    this.busy = false;
    this.pause = 0;
    this.timer = 0;
    this.last = 0;
    this.most = MOST_ANSWERS;
    this.kept = new Map(); // what the browser's store does not take
    window.addEventListener("online", () => this.hurry());
  }

  // Whether the server has every answer and has said what comes after the last one.
  get settled() {
    return this.answered === this.asked && !this.waiting().length;
  }

  waiting() {
    const found = [...this.kept.values()];
    try {
      for (let i = 0; i < localStorage.length; i += 1) {
        const key = localStorage.key(i);
        if (!key.startsWith(`${PREFIX}${this.place.sample} `)) continue;
        try {
          found.push({ key, ...JSON.parse(localStorage.getItem(key)) });
        } catch {
          localStorage.removeItem(key);
        }
      }
    } catch {
      // no store: only what is in memory
    }
    return found.sort((a, b) => a.order - b.order);
  }

  put(reader, answer) {
    const uuid = fresh();
    this.last = Math.max(Date.now(), this.last + 0.001);
    const key = `${PREFIX}${this.place.sample} ${uuid}`;
    const entry = { key, order: this.last, reader, answer: { uuid, ...answer } };
    try {
      localStorage.setItem(key, JSON.stringify(entry));
    } catch {
      this.kept.set(key, entry);
    }
  }

  drop(entry) {
    this.kept.delete(entry.key);
    try {
      localStorage.removeItem(entry.key);
    } catch {
      // no store
    }
  }

  // Send what waits; ask: { reader, blind, more, done } to be told what comes next, too.
  go(ask) {
    if (ask) {
      this.ask = ask;
      this.asked += 1;
    }
    this.hurry();
  }

  hurry() {
    clearTimeout(this.timer);
    if (!this.busy) this.work();
  }

  async work() {
    this.busy = true;
    try {
      while (await this.one());
    } finally {
      this.busy = false;
    }
  }

  batch() {
    const all = this.waiting();
    const taken = [];
    let letters = 0;
    for (const entry of all) {
      letters += new TextEncoder().encode(JSON.stringify(entry.answer)).length + 1;
      if (taken.length && (letters > MOST_LETTERS || taken.length >= this.most || entry.reader !== taken[0].reader)) break;
      taken.push(entry);
    }
    return [taken, all.length];
  }

  async one() {
    const [taken, all] = this.batch();
    const last = taken.length === all;
    const number = this.asked;
    const queue = Boolean(last && this.ask && number > this.answered);
    if (!taken.length && !queue) return false;
    const reader = taken.length ? taken[0].reader : this.ask.reader;
    const mine = this.ask && this.ask.reader === reader;
    const asking = queue && mine;
    const body = {
      reader, sample: this.place.sample, model: this.place.model, queue: asking,
      blind: Boolean(this.ask && this.ask.blind), done: Boolean(asking && this.ask.done), more: this.ask ? this.ask.more : 0, answers: taken.map((one) => one.answer),
    };
    let answer;
    try {
      answer = await fetch(`/api/review/${this.place.row}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": this.csrf },
        body: JSON.stringify(body),
      });
    } catch {
      return this.later("Not connected");
    }
    const told = await answer.json().catch(() => null);
    if (answer.ok && told) {
      this.pause = 0;
      for (const entry of taken) this.drop(entry);
      if (asking) this.answered = number;
      if (last) this.most = MOST_ANSWERS;
      this.heard({ told: asking && number === this.asked ? told : null, waiting: this.waiting().length, well: true, said: "" });
      return true;
    }
    if (answer.status === 401 || (answer.status === 403 && told)) return (await this.enter()) || this.later("Not connected");
    const said = (told && told.said) || "That did not work.";
    if ((answer.status === 400 || answer.status === 409) && taken.length) return this.refused(taken, said);
    return this.later(answer.status === 429 ? "Busy" : "Not kept yet", said);
  }

  // The book refuses one of several: they are sent one by one, and the refused one is let go, aloud.
  refused(taken, said) {
    if (taken.length > 1) {
      this.most = 1;
      return true;
    }
    this.most = MOST_ANSWERS;
    this.drop(taken[0]);
    this.heard({ waiting: this.waiting().length, well: true, said: `The answer to cell ${taken[0].answer.cell} was refused. ${said}` });
    return true;
  }

  // The server was started again and knows nobody: a page of its own gives a new session and a new token.
  async enter() {
    try {
      const answer = await fetch(location.pathname, { redirect: "manual" });
      if (answer.type === "opaqueredirect") {
        location.reload(); // a tablet: the PIN is asked for; what waits stays in the browser
        return false;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const token = page.querySelector("meta[name=csrf]");
      if (!answer.ok || !token || token.content === this.csrf) return false;
      this.csrf = token.content;
      return true;
    } catch {
      return false;
    }
  }

  later(why, said = "") {
    this.pause = Math.min(8000, this.pause ? this.pause * 2 : 500);
    this.timer = setTimeout(() => this.hurry(), this.pause);
    this.heard({ waiting: this.waiting().length, well: false, said, why });
    return false;
  }
}

function fresh() {
  // crypto.randomUUID wants a secure context, which a page in a local network is not
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
