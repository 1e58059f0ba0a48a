"use strict";
// Pictures of cells, fetched ahead, and the canvas that shows one at any zoom.
const AROUND = { close: 2.6, near: 8, field: 24, wide: 72 }; // longer sides of the cell's box, as the server cuts them
const LEVELS = ["close", "near", "field", "wide"]; // the last one for things much smaller than a cell
const NARROWEST = 1.2; // usual cells that the view shows, and the most
const WIDEST = 24;
const USUAL = 2.3;
const SMALLEST = 0.85; // of a usual cell: things that are smaller are shown at the scale of cells
const MOST_KEPT = 72; // pictures
const AT_ONCE = 3;

export class Pictures {
  constructor(row) {
    this.row = row;
    this.kept = new Map(); // "cell level" to a promise of a picture, or of null: it is gone
    this.wanted = [];
    this.running = 0;
    this.strange = () => {}; // is called where the server knows this browser no more
  }

  // A promise of { bitmap, url, box }; null: the picture is gone. Pictures that are asked for now come before those fetched ahead.
  get(cell, level, soon = true) {
    const key = `${cell} ${level}`;
    const known = this.kept.get(key);
    if (known) {
      this.kept.delete(key);
      this.kept.set(key, known);
      if (soon && known.job) this.sooner(known.job);
      return known.picture;
    }
    const job = { key, cell, level };
    const entry = { job, value: undefined };
    entry.picture = new Promise((done) => {
      job.done = (value) => {
        entry.job = null;
        entry.value = value;
        if (value === undefined) this.kept.delete(key); // the network: it may come another time
        done(value);
      };
    });
    this.kept.set(key, entry);
    if (soon) this.wanted.unshift(job);
    else this.wanted.push(job);
    this.forget();
    this.run();
    return entry.picture;
  }

  // The picture if it is here already; undefined: it is not.
  now(cell, level) {
    const entry = this.kept.get(`${cell} ${level}`);
    return entry ? entry.value : undefined;
  }

  sooner(job) {
    const at = this.wanted.indexOf(job);
    if (at > 0) {
      this.wanted.splice(at, 1);
      this.wanted.unshift(job);
    }
  }

  run() {
    while (this.running < AT_ONCE && this.wanted.length) {
      const job = this.wanted.shift();
      this.running += 1;
      this.fetch(job).then((value) => {
        this.running -= 1;
        job.done(value);
        this.run();
      });
    }
  }

  async fetch(job) {
    try {
      const answer = await fetch(`/api/review/${this.row}/${job.cell}/${job.level}`);
      if (answer.status === 410 || answer.status === 404) return null;
      if (answer.status === 401) this.strange();
      if (!answer.ok) return undefined;
      const box = (answer.headers.get("X-Box") || "").split(",").map(Number);
      const blob = await answer.blob();
      const url = URL.createObjectURL(blob);
      const image = new Image();
      image.src = url;
      await image.decode();
      return { image, url, box: box.length === 4 ? box : null };
    } catch {
      return undefined;
    }
  }

  forget() {
    for (const [key, entry] of this.kept) {
      if (this.kept.size <= MOST_KEPT) break;
      if (entry.job) continue;
      if (entry.value) URL.revokeObjectURL(entry.value.url);
      this.kept.delete(key);
    }
  }
}

const longest = (item) => Math.max(item.box[2], item.box[3], 1);

// Pixels of the field that a usual view of this cell is wide.
const usual = (item) => USUAL * Math.max(longest(item), SMALLEST * (item.typical || 0));

// The same, but no wider than the picture: where the book kept only a crop, that fills the view.
function filled(pictures, item) {
  const picture = pictures.now(item.cell, base(item));
  if (!picture || !picture.box) return usual(item);
  return Math.min(usual(item), (picture.image.width * item.box[2]) / picture.box[2]);
}

// The picture that shows a cell in its usual view.
export const base = (item) => LEVELS.find((level) => AROUND[level] * longest(item) >= usual(item) * 0.98) || "field";

// The pictures that fill a view this many pixels of the field wide, widest first.
function layers(item, span) {
  const from = LEVELS.indexOf(base(item));
  const last = LEVELS.findIndex((level, i) => i >= from && AROUND[level] * longest(item) >= span);
  const end = last < 0 ? LEVELS.length : last + 1;
  return LEVELS.slice(from, longest(item) * 2 > (item.typical || 0) ? Math.min(end, 3) : end).reverse();
}

// Draw a cell; span: pixels of the field that fit the shorter side. Returns the levels that are not here yet.
export function paint(canvas, pictures, item, { span = filled(pictures, item), shift = [0, 0], marks = false } = {}) {
  const ratio = window.devicePixelRatio || 1;
  const [wide, tall] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (canvas.width !== wide || canvas.height !== tall) [canvas.width, canvas.height] = [wide, tall];
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, wide, tall);
  if (!item || !wide || !tall) return [];
  const [x, y, w, h] = item.box;
  const scale = Math.min(wide, tall) / span;
  const [midX, midY] = [x + w / 2 + shift[0], y + h / 2 + shift[1]];
  const at = (fx, fy) => [(fx - midX) * scale + wide / 2, (fy - midY) * scale + tall / 2];
  const missing = [];
  const across = Math.max(wide, tall) / scale + 2 * Math.max(Math.abs(shift[0]), Math.abs(shift[1]));
  pen.imageSmoothingQuality = "high";
  for (const level of layers(item, across)) {
    const picture = pictures.now(item.cell, level);
    if (picture === undefined) missing.push(level);
    if (!picture) continue;
    const box = picture.box || [0, 0, picture.image.width, picture.image.height];
    const [perX, perY] = [w / box[2], h / box[3]];
    const [left, up] = at(x - box[0] * perX, y - box[1] * perY);
    pen.drawImage(picture.image, left, up, picture.image.width * perX * scale, picture.image.height * perY * scale);
  }
  if (marks) mark(pen, at(x, y), at(x + w, y + h), ratio);
  return missing;
}

function mark(pen, from, to, ratio) {
  const gap = 0.06 * Math.max(to[0] - from[0], to[1] - from[1]) + 3 * ratio;
  const [x0, y0, x1, y1] = [from[0] - gap, from[1] - gap, to[0] + gap, to[1] + gap];
  const arm = 0.12 * Math.min(x1 - x0, y1 - y0);
  for (const [width, colour] of [[4.5 * ratio, "rgba(255,255,255,.85)"], [2 * ratio, "#101418"]]) {
    pen.lineWidth = width;
    pen.strokeStyle = colour;
    pen.beginPath();
    for (const [cx, cy, dx, dy] of [[x0, y0, 1, 1], [x1, y0, -1, 1], [x0, y1, 1, -1], [x1, y1, -1, -1]]) {
      pen.moveTo(cx + dx * arm, cy);
      pen.lineTo(cx, cy);
      pen.lineTo(cx, cy + dy * arm);
    }
    pen.stroke();
  }
}

// One cell on a canvas: wheel, pinch and keys zoom, dragging moves, a double click puts it back.
export class View {
  constructor(canvas, pictures, changed) {
    this.canvas = canvas;
    this.pictures = pictures;
    this.changed = changed;
    this.zoomed = 1; // usual views across; it stays from cell to cell
    this.marks = true;
    this.item = null;
    this.shift = [0, 0];
    this.pointers = new Map();
    new ResizeObserver(() => this.draw()).observe(canvas);
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(event.deltaY * 0.0016), event);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    });
    canvas.addEventListener("pointermove", (event) => this.moved(event));
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (event) => this.pointers.delete(event.pointerId));
    canvas.addEventListener("dblclick", () => this.reset());
  }

  show(item) {
    this.item = item;
    this.shift = [0, 0];
    this.draw();
  }

  reset() {
    this.shift = [0, 0];
    this.zoomed = 1;
    this.draw();
  }

  zoom(factor, event) {
    const before = this.scale();
    this.zoomed = Math.min(WIDEST / USUAL, Math.max(NARROWEST / USUAL, this.zoomed * factor));
    if (event && before) {
      const frame = this.canvas.getBoundingClientRect();
      const x = event.clientX - frame.left - frame.width / 2;
      const y = event.clientY - frame.top - frame.height / 2;
      const change = 1 / before - 1 / this.scale();
      this.shift = [this.shift[0] + x * change, this.shift[1] + y * change];
    }
    this.draw();
  }

  get wide() {
    return this.zoomed > 1.5;
  }

  around() {
    this.shift = [0, 0];
    this.zoomed = this.wide ? 1 : 6;
    this.draw();
  }

  moved(event) {
    const from = this.pointers.get(event.pointerId);
    if (!from) return;
    const to = [event.clientX, event.clientY];
    this.pointers.set(event.pointerId, to);
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId);
    if (others.length === 1) {
      const apart = (one) => Math.hypot(one[0] - others[0][1][0], one[1] - others[0][1][1]);
      if (apart(to) > 10) this.zoom(apart(from) / apart(to));
    } else if (!others.length && this.scale()) {
      this.shift = [this.shift[0] - (to[0] - from[0]) / this.scale(), this.shift[1] - (to[1] - from[1]) / this.scale()];
      this.draw();
    }
  }

  // Canvas pixels (CSS) for each pixel of the field.
  scale() {
    if (!this.item) return 0;
    return Math.min(this.canvas.clientWidth, this.canvas.clientHeight) / (filled(this.pictures, this.item) * this.zoomed);
  }

  draw() {
    const { item } = this;
    if (!item) return;
    const missing = paint(this.canvas, this.pictures, item, { span: filled(this.pictures, item) * this.zoomed, shift: this.shift, marks: this.marks });
    for (const level of missing) {
      this.pictures.get(item.cell, level).then((found) => found !== undefined && this.item === item && this.draw());
    }
    this.changed();
  }
}
