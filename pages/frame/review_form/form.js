// The whole answer lives in the browser and travels as numbered events that name their record,
// so that keys pressed faster than the server answers neither vanish nor land on the wrong item.

const SAVE_AFTER_MS = 400;
const IDLE_MS = 60000;
const forms = new WeakMap();

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

class ReviewForm {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.tab = crypto.randomUUID();
    this.seq = 0;
    this.outbox = [];
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    this.note = this.find(".note textarea");
    this.note.oninput = () => this.change(() => { this.answers.note = this.note.value; });
    this.find(".reveal").onclick = () => this.reveal();
    this.find(".submit").onclick = () => this.submit();
    this.find(".flag").onclick = () => this.startFlag();
    this.find(".help").onclick = () => this.toggleKeys();
  }

  stop() { document.removeEventListener("keydown", this.onKey); clearTimeout(this.timer); }

  update({ data, setStateValue }) {
    this.send = setStateValue;
    this.outbox = this.outbox.filter((event) => event.seq > data.acked);
    this.seq = Math.max(this.seq, data.acked);
    const fresh = !this.data || this.data.record_id !== data.record_id || this.data.generation !== data.generation;
    this.data = data;
    if (fresh) this.open();
    this.say();
  }

  open() {
    const { draft, rating } = this.data;
    const held = rating || draft || {};
    this.answers = {
      scores: { ...(held.scores || {}) }, verdict: held.verdict || "",
      flags: (held.flags || []).map((flag) => ({ ...flag })), note: held.note || "",
    };
    this.locked = Boolean(rating);
    this.waiting = false;
    this.fault = "";
    this.dirty = false;
    this.flagging = null;
    this.seconds = held.seconds || 0;
    this.touched = performance.now();
    this.basedOn = this.data.draft_version;
    this.active = this.firstOpen();
    this.note.value = this.answers.note;
    const folded = this.data.folded && !draft && !rating;
    this.find(".form").classList.toggle("folded", folded);
    this.find(".card").hidden = !folded;
    this.drawTurns();
    this.draw();
    this.root.scrollIntoView?.({ block: "nearest" });
  }

  rows() { return this.data.items.length + 1; }
  onVerdict() { return this.active === this.data.items.length; }
  firstOpen() {
    const index = this.data.items.findIndex((item) => !(item.id in this.answers.scores));
    return index < 0 ? this.data.items.length : index;
  }
  folded() { return this.find(".form").classList.contains("folded"); }
  reveal() { this.find(".form").classList.remove("folded"); this.find(".card").hidden = true; }

  touch() {
    const now = performance.now();
    this.seconds += Math.min(now - this.touched, IDLE_MS) / 1000;
    this.touched = now;
  }

  change(act) {
    if (this.locked || this.waiting) return;
    this.touch();
    act();
    this.dirty = true;
    this.fault = "";
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.push("draft"), SAVE_AFTER_MS);
    this.say();
  }

  push(kind) {
    clearTimeout(this.timer);
    const record = this.data.record_id;
    if (kind === "draft") {
      this.outbox = this.outbox.filter((event) => event.kind !== "draft" || event.record_id !== record);
    }
    this.seq += 1;
    this.outbox.push({
      seq: this.seq, kind, record_id: record, tab: this.tab, based_on: this.basedOn, shown_sha256: this.data.shown_sha256,
      payload: { ...structuredClone(this.answers), seconds: Math.round(this.seconds) },
    });
    this.send("outbox", this.outbox.slice());
  }

  rate(value) {
    const item = this.data.items[this.active];
    this.change(() => { this.answers.scores[item.id] = value; });
    if (!this.locked && !this.waiting) this.active = Math.min(this.active + 1, this.data.items.length);
    this.draw();
  }

  choose(verdict) { this.change(() => { this.answers.verdict = verdict; }); this.draw(); }

  submit() {
    if (this.locked || this.waiting) return;
    const open = this.data.items.findIndex((item) => !(item.id in this.answers.scores) && !item.optional);
    if (open >= 0) return this.complain(open, `${this.data.items[open].name} has no answer yet.`);
    if (!this.answers.verdict) return this.complain(this.data.items.length, "Choose a verdict.");
    this.touch();
    this.waiting = true;
    this.push("submit");
    this.draw();
    this.say();
  }

  complain(row, words) { this.active = row; this.fault = words; this.draw(); this.say(); }

  startFlag() {
    if (this.locked || this.waiting || this.folded()) return;
    const turns = this.data.messages;
    const last = turns.map((turn) => turn.role).lastIndexOf("assistant");
    this.flagging = { id: this.data.hard_fails[0].id, turn: Math.max(last, 0), note: "" };
    this.drawFlags();
    this.find(".flagger select")?.focus();
  }

  endFlag(keep) {
    if (keep) {
      if (!this.flagging.note.trim()) return this.complain(this.active, "A flag needs one sentence.");
      const flag = { ...this.flagging };
      this.change(() => { this.answers.flags.push(flag); });
    }
    this.flagging = null;
    this.drawFlags();
    this.drawTurns();
  }

  toggleKeys() { const keys = this.find(".keys"); keys.hidden = !keys.hidden; }

  key(event) {
    const target = event.composedPath()[0];
    const typing = ["INPUT", "TEXTAREA", "SELECT"].includes(target?.tagName) || target?.isContentEditable;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return this.submit();
    }
    if (event.key === "Escape" && this.flagging) return this.endFlag(false);
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (document.querySelector('[role="dialog"]')) return;
    if (this.press(event.key, target)) event.preventDefault();
  }

  press(key, target) {
    if (this.folded()) {
      if (key !== " ") return false;
      this.reveal();
      return true;
    }
    const ours = target === document.body || this.root.contains(target) || !target?.closest?.("button, a");
    if (!ours) return false;
    if (key === "ArrowDown") { this.active = Math.min(this.active + 1, this.rows() - 1); this.draw(); return true; }
    if (key === "ArrowUp") { this.active = Math.max(this.active - 1, 0); this.draw(); return true; }
    if (key === "f" || key === "F") { this.startFlag(); return true; }
    if (key === "?") { this.toggleKeys(); return true; }
    if (this.onVerdict()) {
      const verdict = this.data.verdicts[Number(key) - 1];
      if (!verdict) return false;
      this.choose(verdict.id);
      return true;
    }
    if (this.data.scale.includes(key)) { this.rate(key); return true; }
    if (key === "0") { this.rate("na"); return true; }
    if (key === "-") { this.rate("cannot_judge"); return true; }
    return false;
  }

  drawTurns() {
    const list = this.find(".turns");
    list.replaceChildren(...this.data.messages.map((turn, index) => {
      const item = make("li", { className: `turn ${turn.role}` });
      item.append(
        make("div", { className: "who", textContent: `${index + 1} · ${turn.label}` }),
        make("p", { className: "text", textContent: turn.content }),
      );
      if (this.flagging?.turn === index) item.classList.add("picked");
      item.onclick = () => { if (this.flagging) { this.flagging.turn = index; this.drawFlags(); this.drawTurns(); } };
      return item;
    }));
  }

  draw() {
    this.find(".question").textContent = this.data.question;
    this.find(".items").replaceChildren(...this.data.items.map((item, index) => this.drawItem(item, index)));
    const verdict = this.find(".verdict");
    verdict.classList.toggle("active", this.onVerdict());
    verdict.replaceChildren(make("span", { textContent: "Verdict" }), ...this.data.verdicts.map((choice, index) =>
      this.option(`${index + 1}  ${choice.label}`, this.answers.verdict === choice.id, choice.label, () => this.choose(choice.id))));
    this.find(".submit").disabled = this.locked || this.waiting;
    this.find(".flag").disabled = this.locked || this.waiting;
    this.note.disabled = this.locked || this.waiting;
    this.drawFlags();
    this.say();
  }

  option(text, checked, label, act) {
    const button = make("button", { type: "button", textContent: text, onclick: act, disabled: this.locked || this.waiting });
    button.setAttribute("role", "radio");
    button.setAttribute("aria-checked", String(checked));
    button.setAttribute("aria-label", label);
    return button;
  }

  drawItem(item, index) {
    const box = make("div", { className: index === this.active ? "item active" : "item" });
    box.dataset.item = item.id;
    const held = this.answers.scores[item.id];
    const scale = make("div", { className: "scale" });
    scale.setAttribute("role", "radiogroup");
    scale.setAttribute("aria-label", item.name);
    const pick = (value) => { this.active = index; this.rate(value); };
    for (const value of this.data.scale) {
      scale.append(this.option(value, held === value, `${item.name}: ${value}`, () => pick(value)));
    }
    scale.append(this.option("N/A", held === "na", `${item.name}: not applicable`, () => pick("na")));
    scale.append(this.option("?", held === "cannot_judge", `${item.name}: cannot judge`, () => pick("cannot_judge")));
    const anchors = make("div", { className: "anchors" }, ...Object.entries(item.anchors).map(([value, text]) =>
      make("div", { textContent: `${value}  ${text}` })));
    box.append(
      make("div", { className: "name", textContent: `${item.id}  ${item.name}` + (item.optional ? " (optional here)" : "") }),
      make("div", { className: "definition", textContent: item.definition }), anchors, scale,
    );
    return box;
  }

  drawFlags() {
    const box = this.find(".flags");
    const rows = this.answers.flags.map((flag, index) => {
      const name = this.data.hard_fails.find((fail) => fail.id === flag.id)?.name ?? flag.id;
      const row = make("div", { className: "raised" },
        make("strong", { textContent: `Flag ${flag.id} ${name}, turn ${flag.turn + 1}:` }), make("span", { textContent: flag.note }));
      const remove = make("button", { type: "button", textContent: "Remove", disabled: this.locked || this.waiting,
        onclick: () => { this.change(() => { this.answers.flags.splice(index, 1); }); this.drawFlags(); } });
      row.append(remove);
      return row;
    });
    box.replaceChildren(...rows);
    if (this.flagging) box.append(this.flagger());
  }

  flagger() {
    const kind = make("select", { onchange: (event) => { this.flagging.id = event.target.value; } },
      ...this.data.hard_fails.map((fail) => make("option", { value: fail.id, textContent: `${fail.id} ${fail.name}: ${fail.text}`, selected: fail.id === this.flagging.id })));
    kind.setAttribute("aria-label", "What is wrong");
    const turn = make("select", { onchange: (event) => { this.flagging.turn = Number(event.target.value); this.drawTurns(); } },
      ...this.data.messages.map((message, index) => make("option", { value: String(index), textContent: `Turn ${index + 1} · ${message.label}`, selected: index === this.flagging.turn })));
    turn.setAttribute("aria-label", "Which turn");
    const note = make("input", { type: "text", maxLength: 500, value: this.flagging.note, placeholder: "One sentence: what is wrong",
      oninput: (event) => { this.flagging.note = event.target.value; } });
    note.setAttribute("aria-label", "One sentence: what is wrong");
    note.onkeydown = (event) => { if (event.key === "Enter") this.endFlag(true); };
    return make("div", { className: "flagger" }, kind, turn, note, make("div", { className: "actions" },
      make("button", { type: "button", textContent: "Add the flag", onclick: () => this.endFlag(true) }),
      make("button", { type: "button", textContent: "Cancel", onclick: () => this.endFlag(false) })));
  }

  say() {
    const status = this.find(".status");
    const fault = this.fault || this.data.fault;
    status.classList.toggle("fault", Boolean(fault));
    if (this.data.fault && this.waiting) { this.waiting = false; this.draw(); return; }
    if (fault) status.textContent = fault;
    else if (this.locked) status.textContent = "You have rated this record.";
    else if (this.waiting) status.textContent = "Submitting…";
    else if (this.outbox.length) status.textContent = "Saving…";
    else if (this.dirty && this.data.saved_at) status.textContent = `Saved ${this.data.saved_at}`;
    else if (this.data.saved_at) status.textContent = `Draft from ${this.data.saved_at} restored.`;
    else status.textContent = "";
  }
}

export default function (component) {
  const root = component.parentElement;
  if (!forms.has(root)) forms.set(root, new ReviewForm(root));
  forms.get(root).update(component);
  return () => { forms.get(root)?.stop(); forms.delete(root); };
}
