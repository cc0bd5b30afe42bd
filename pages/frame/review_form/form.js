// The whole answer lives in the browser and travels as numbered events that name their record,
// so that keys pressed faster than the server answers neither vanish nor land on the wrong item.
// Words from a record become text nodes and nothing else.

const SAVE_AFTER_MS = 150;
const IDLE_MS = 60000;
const LEFT_MS = 10000;
const forms = new WeakMap();
// One browser tab is one writer, however often Streamlit takes the form off the page and puts it
// back: what was typed up to then goes on in the new one.
const kept = (globalThis[Symbol.for("release-desk-review-form")] ??= { tab: crypto.randomUUID(), seq: 0, left: new Map() });
// While another claim's form comes, the old one is still on the page for a moment.
let newest = null;

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
const label = (element, words) => { element.setAttribute("aria-label", words); return element; };

class ReviewForm {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.outbox = [];
    this.onKey = (event) => this.key(event);
    this.onLeave = () => { if (this.timer) this.push("draft"); };
    this.note = this.find(".note textarea");
    this.note.oninput = () => this.change(() => { this.answers.note = this.note.value; });
    this.find(".reveal").onclick = () => this.reveal();
    this.find(".submit").onclick = () => this.submit();
    this.find(".again").onclick = () => this.reopen();
    this.find(".flag").onclick = () => this.startFlag();
    this.find(".hide").onclick = () => this.hide();
    this.find(".help").onclick = () => this.toggleKeys();
    this.find(".back").onclick = () => this.turn(-1);
    this.find(".next").onclick = () => this.turn(1);
    this.list = this.find(".list");
    this.list.onchange = () => this.visit(this.list.value);
  }

  start() {
    // Before Streamlit's own shortcuts: it sees a key typed in here as typed on the page.
    document.addEventListener("keydown", this.onKey, true);
    addEventListener("pagehide", this.onLeave);
    document.addEventListener("visibilitychange", this.onLeave);
  }

  stop() {
    this.onLeave();
    if (this.dirty && !this.still()) {
      kept.left.set(this.identity, { ...structuredClone(this.answers), seconds: this.seconds, based_on: this.basedOn, at: performance.now() });
    }
    document.removeEventListener("keydown", this.onKey, true);
    document.removeEventListener("visibilitychange", this.onLeave);
    removeEventListener("pagehide", this.onLeave);
  }

  update({ data, setStateValue }) {
    newest = this;
    this.send = setStateValue;
    this.outbox = this.outbox.filter((event) => event.seq > data.acked);
    kept.seq = Math.max(kept.seq, data.acked);
    const identity = `${data.candidate} ${data.claim} ${data.record_id} ${data.rating_sha256}`;
    const fresh = this.identity !== identity;
    const moved = Boolean(this.data) && fresh;
    // What was typed and not yet sent belongs to the record that is leaving the screen.
    if (moved && this.timer) this.push("draft");
    this.data = data;
    this.identity = identity;
    if (!this.outbox.some((event) => event.kind === "go")) this.target = "";
    if (data.fault) this.waiting = false;
    if (fresh) this.open(moved);
    else this.paint();
    this.drawList();
    this.say();
  }

  open(moved) {
    const { draft, rating } = this.data;
    // A rating that was taken up again has a draft of its own.
    const half = this.takeUp();
    const taken = half || (draft && (!rating || draft.supersedes === this.data.rating_sha256) && draft);
    const held = taken || rating || {};
    this.answers = {
      scores: { ...(held.scores || {}) }, verdict: held.verdict || "",
      flags: (held.flags || []).map((flag) => ({ ...flag })), note: held.note || "",
    };
    this.locked = Boolean(rating) && !taken;
    this.restored = Boolean(taken);
    this.waiting = false;
    this.fault = "";
    this.dirty = Boolean(half);
    this.flagging = null;
    this.seconds = held.seconds || 0;
    this.touched = performance.now();
    this.basedOn = half ? half.based_on : this.data.draft_version;
    this.active = this.firstOpen();
    this.note.value = this.answers.note;
    this.fold(this.data.folded && !taken && !rating, false);
    this.find(".question").textContent = this.data.question;
    this.drawTurns();
    this.drawItems();
    this.drawVerdicts();
    this.drawFlags();
    this.paint();
    if (half) this.timer ??= setTimeout(() => this.push("draft"), SAVE_AFTER_MS);
    if (!moved) return;
    const left = this.find(".left");
    this.find(".right").scrollTop = 0;
    this.find(".steps").scrollIntoView({ block: "nearest" });
    // The next record is announced, and Tab goes on from its first turn.
    left.focus({ preventScroll: true });
  }

  takeUp() {
    const left = kept.left.get(this.identity);
    kept.left.delete(this.identity);
    return left && performance.now() - left.at < LEFT_MS ? left : null;
  }

  reopen() {
    this.locked = false;
    this.active = 0;
    this.drawFlags();
    this.paint();
    this.say();
  }

  onVerdict() { return this.active === this.data.items.length; }
  busy() { return this.waiting || Boolean(this.target); }
  still() { return this.locked || this.busy(); }
  firstOpen() {
    const index = this.data.items.findIndex((item) => !(item.id in this.answers.scores));
    return index < 0 ? this.data.items.length : index;
  }

  // --- Folding.

  folded() { return this.find(".form").classList.contains("folded"); }
  fold(folded, asked) {
    this.find(".form").classList.toggle("folded", folded);
    this.find(".card").hidden = !folded;
    this.find(".card-title").textContent = asked ? "The text is hidden" : "Hard content ahead";
    this.find(".card-words").textContent = asked ? "Take the time you need." : this.data.warning;
  }
  reveal() { this.fold(false, false); }
  hide() { if (this.flagging) this.endFlag(false); this.fold(true, true); this.find(".reveal").focus(); }

  // --- Answers and their way to the server.

  touch() {
    const now = performance.now();
    this.seconds += Math.min(now - this.touched, IDLE_MS) / 1000;
    this.touched = now;
  }

  change(act) {
    if (this.still()) return;
    this.touch();
    act();
    this.dirty = true;
    this.fault = "";
    // From the first change on, not from the last: who types on and on is saved all the same.
    this.timer ??= setTimeout(() => this.push("draft"), SAVE_AFTER_MS);
    this.say();
  }

  push(kind) {
    clearTimeout(this.timer);
    this.timer = null;
    const record = this.data.record_id;
    this.outbox = this.outbox.filter((event) => event.kind !== "draft" || event.record_id !== record);
    this.post(kind, record, {
      tab: kept.tab, based_on: this.basedOn, shown_sha256: this.data.shown_sha256,
      payload: { ...structuredClone(this.answers), supersedes: this.data.rating_sha256, seconds: Math.round(this.seconds) },
    });
  }

  post(kind, record, rest = {}) {
    kept.seq += 1;
    this.outbox.push({ seq: kept.seq, kind, candidate: this.data.candidate, record_id: record, ...rest });
    this.send("outbox", this.outbox.slice());
    this.say();
  }

  // --- From record to record. The answer of the one that is left goes ahead of the move.

  turn(by) {
    const records = this.data.records;
    const at = records.findIndex((one) => one.id === (this.target || this.data.record_id));
    const to = records[at + by];
    if (to) this.visit(to.id);
  }

  visit(record) {
    if (this.waiting || record === (this.target || this.data.record_id)) return;
    if (this.flagging) { this.list.value = this.data.record_id; return this.complain(this.active, "Add or cancel the flag first."); }
    if (this.timer) this.push("draft");
    this.outbox = this.outbox.filter((event) => event.kind !== "go");
    this.target = record;
    this.list.value = record;
    this.post("go", record);
    this.paint();
  }

  drawList() {
    const mark = { open: "open", draft: "draft", done: "done" };
    const words = this.data.records.map((one, index) => `Record ${index + 1} of ${this.data.records.length} · ${mark[one.state]}`);
    if (this.list.dataset.words !== words.join("|")) {
      this.list.dataset.words = words.join("|");
      this.list.replaceChildren(...this.data.records.map((one, index) => make("option", { value: one.id, textContent: words[index] })));
    }
    this.list.value = this.target || this.data.record_id;
    const at = this.data.records.findIndex((one) => one.id === this.list.value);
    this.find(".back").disabled = at <= 0;
    this.find(".next").disabled = at >= this.data.records.length - 1;
  }

  rate(value) {
    const item = this.data.items[this.active];
    if (this.still()) return;
    if (value === "na" && item.must) return this.complain(this.active, `${item.id} has to be judged here: rate it, or say that you cannot judge.`);
    this.change(() => { this.answers.scores[item.id] = value; });
    this.go(this.active + 1);
  }

  choose(verdict) { this.change(() => { this.answers.verdict = verdict; }); this.go(this.data.items.length); }

  go(row) {
    this.active = Math.min(Math.max(row, 0), this.data.items.length);
    this.paint();
    const box = this.onVerdict() ? this.find(".verdict-row") : this.find(".items").children[this.active];
    box.scrollIntoView({ block: "nearest" });
  }

  submit() {
    if (this.still()) return;
    if (this.flagging) return this.complain(this.active, "Add or cancel the flag first.");
    const open = this.data.items.findIndex((item) => !(item.id in this.answers.scores) && !item.optional);
    if (open >= 0) return this.complain(open, `${this.data.items[open].id} ${this.data.items[open].name} has no answer yet.`);
    if (!this.answers.verdict) return this.complain(this.data.items.length, "Choose a verdict.");
    if (this.answers.flags.length && this.answers.verdict === "accept") {
      return this.complain(this.data.items.length, "A record with a flag cannot be accepted: choose another verdict or remove the flag.");
    }
    this.touch();
    this.waiting = true;
    this.fault = "";
    this.push("submit");
    this.paint();
  }

  complain(row, words) { this.fault = words; this.go(row); this.say(); }

  // --- Flags.

  startFlag() {
    if (this.still() || this.folded() || this.flagging) return;
    const last = this.data.messages.map((turn) => turn.role).lastIndexOf("assistant");
    this.flagging = { id: this.data.hard_fails[0].id, turn: Math.max(last, 0), note: "" };
    this.drawFlags();
    this.markTurns();
    this.find(".flagger select").focus();
  }

  endFlag(keep) {
    if (keep) {
      if (!this.flagging.note.trim()) {
        this.complain(this.active, "A flag needs one sentence of why.");
        return this.find(".flagger input").focus();
      }
      const flag = { ...this.flagging, note: this.flagging.note.trim() };
      this.change(() => { this.answers.flags.push(flag); });
    }
    this.flagging = null;
    this.fault = "";
    this.drawFlags();
    this.markTurns();
    this.say();
    this.find(".flag").focus();
  }

  pick(turn) {
    if (!this.flagging) return;
    this.flagging.turn = turn;
    this.find(".flagger .which").value = String(turn);
    this.markTurns();
  }

  // --- Keys.

  toggleKeys() {
    const keys = this.find(".keys");
    keys.hidden = !keys.hidden;
    this.find(".help").setAttribute("aria-expanded", String(!keys.hidden));
    if (!keys.hidden) keys.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const target = event.composedPath()[0];
    const ours = this.root.contains(target);
    const typing = ["INPUT", "TEXTAREA", "SELECT"].includes(target?.tagName) || target?.isContentEditable;
    if (newest !== this || document.querySelector('[role="dialog"]')) return;
    const taken = () => { event.preventDefault(); event.stopPropagation(); };
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && (ours || !typing)) { taken(); return this.submit(); }
    if (event.key === "Escape" && this.flagging) { taken(); return this.endFlag(false); }
    if (event.key === "Escape" && target === this.note) { taken(); return this.note.blur(); }
    if (typing) {
      if (ours && target.type === "text" && event.key === "Enter" && !event.isComposing) { taken(); this.endFlag(true); }
      else if (ours) event.stopPropagation();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (this.press(event.key, target, ours)) taken();
  }

  press(key, target, ours) {
    const control = target?.closest?.('button, a, summary, [role="radio"], [role="tab"], [role="combobox"]');
    if (key === "j" || key === "J") { this.turn(1); return true; }
    if (key === "k" || key === "K") { this.turn(-1); return true; }
    if (this.folded()) {
      if (key !== " " || (control && !ours)) return false;
      this.reveal();
      return true;
    }
    if (control && !ours && key.startsWith("Arrow")) return false;
    if (ours && control?.getAttribute("role") === "radio" && (key === "ArrowLeft" || key === "ArrowRight")) return this.step(control, key);
    if (key === "ArrowDown" || key === "ArrowUp") {
      this.go(this.active + (key === "ArrowDown" ? 1 : -1));
      if (control?.getAttribute("role") === "radio") this.groups[this.active].find((option) => option.tabIndex === 0)?.focus();
      return true;
    }
    if (key === "f" || key === "F") { this.startFlag(); return true; }
    if (key === "h" || key === "H") { this.hide(); return true; }
    if (key === "n" || key === "N") { this.note.focus(); return true; }
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

  step(option, key) {
    const group = this.groups.find((options) => options.includes(option));
    const next = (group.indexOf(option) + (key === "ArrowRight" ? 1 : group.length - 1)) % group.length;
    group.forEach((one, index) => { one.tabIndex = index === next ? 0 : -1; });
    group[next].focus();
    return true;
  }

  // --- Drawing: elements are made once for a record and changed in place, so that focus stays.

  drawTurns() {
    this.find(".turns").replaceChildren(...this.data.messages.map((turn, index) => {
      const item = make("li", { className: `turn ${turn.role}` },
        make("div", { className: "who", textContent: `${index + 1} · ${turn.label}` }),
        make("p", { className: "text", textContent: turn.content }));
      item.onclick = () => this.pick(index);
      return item;
    }));
    this.markTurns();
  }

  markTurns() {
    const marked = new Set(this.answers.flags.map((flag) => flag.turn));
    this.find(".form").classList.toggle("picking", Boolean(this.flagging));
    [...this.find(".turns").children].forEach((turn, index) => {
      turn.classList.toggle("picked", this.flagging?.turn === index);
      turn.classList.toggle("marked", marked.has(index));
    });
  }

  option(words, name, value, act) {
    const button = label(make("button", { type: "button", textContent: words, onclick: act }), name);
    button.setAttribute("role", "radio");
    button.dataset.value = value;
    return button;
  }

  drawItems() {
    this.groups = [];
    this.find(".items").replaceChildren(...this.data.items.map((item, index) => {
      const pick = (value) => () => { this.active = index; this.rate(value); };
      const options = [
        ...this.data.scale.map((value) => this.option(value, value, value, pick(value))),
        this.option("N/A", "not applicable", "na", pick("na")),
        this.option("can’t judge", "cannot judge", "cannot_judge", pick("cannot_judge")),
      ];
      const scale = label(make("div", { className: "scale" }, ...options), `${item.id} ${item.name}`);
      scale.setAttribute("role", "radiogroup");
      this.groups.push(options);
      const box = make("div", { className: "item" },
        make("div", { className: "name", textContent: `${item.id}  ${item.name}` + (item.optional ? " (may be left out)" : "") }),
        make("div", { className: "definition", textContent: item.definition }),
        make("div", { className: "anchors" }, ...Object.entries(item.anchors).map(([value, text]) =>
          make("div", { textContent: `${value}  ${text}` }))), scale);
      box.dataset.item = item.id;
      box.onclick = () => this.go(index);
      // A click rates and moves on by itself; what bubbles up must not move the mark back.
      scale.onclick = (event) => event.stopPropagation();
      return box;
    }));
  }

  drawVerdicts() {
    const options = this.data.verdicts.map((choice, index) =>
      this.option(`${index + 1}  ${choice.label}`, choice.label, choice.id, () => this.choose(choice.id)));
    this.groups.push(options);
    this.find(".verdict").replaceChildren(...options);
  }

  paint() {
    const held = [...this.data.items.map((item) => this.answers.scores[item.id]), this.answers.verdict];
    this.groups.forEach((options, row) => {
      const chosen = options.findIndex((option) => option.dataset.value === held[row]);
      options.forEach((option, index) => {
        option.setAttribute("aria-checked", String(index === chosen));
        option.tabIndex = index === Math.max(chosen, 0) ? 0 : -1;
        option.disabled = this.still();
      });
    });
    [...this.find(".items").children].forEach((box, row) => box.classList.toggle("active", row === this.active));
    this.find(".verdict-row").classList.toggle("active", this.onVerdict());
    this.find(".form").classList.toggle("open", !this.busy());
    this.find(".submit").disabled = this.still();
    this.find(".submit").hidden = this.locked;
    this.find(".again").hidden = !this.locked;
    this.find(".flag").disabled = this.still();
    this.note.disabled = this.still();
    for (const remove of this.root.querySelectorAll(".raised button")) remove.disabled = this.still();
  }

  drawFlags() {
    const rows = this.answers.flags.map((flag, index) => {
      const name = this.data.hard_fails.find((fail) => fail.id === flag.id)?.name ?? flag.id;
      const words = `${flag.id} ${name}, turn ${flag.turn + 1}`;
      const remove = label(make("button", { type: "button", textContent: "Remove", disabled: this.still() }), `Remove flag ${words}`);
      remove.onclick = () => { this.change(() => { this.answers.flags.splice(index, 1); }); this.drawFlags(); this.markTurns(); };
      return make("div", { className: "raised" }, make("div", {},
        make("strong", { textContent: `⚑ ${words}: ` }), make("span", { textContent: flag.note })), remove);
    });
    this.find(".flags").replaceChildren(...rows, ...(this.flagging ? [this.flagger()] : []));
  }

  flagger() {
    const text = make("p", { className: "text" });
    const explain = () => { text.textContent = this.data.hard_fails.find((fail) => fail.id === this.flagging.id).text; };
    const kind = make("select", {}, ...this.data.hard_fails.map((fail) =>
      make("option", { value: fail.id, textContent: `${fail.id} ${fail.name}`, selected: fail.id === this.flagging.id })));
    kind.onchange = () => { this.flagging.id = kind.value; explain(); };
    explain();
    const turn = make("select", { className: "which" }, ...this.data.messages.map((message, index) =>
      make("option", { value: String(index), textContent: `Turn ${index + 1} · ${message.label}`, selected: index === this.flagging.turn })));
    turn.onchange = () => this.pick(Number(turn.value));
    const note = make("input", { type: "text", maxLength: 500, value: this.flagging.note });
    note.oninput = () => { this.flagging.note = note.value; };
    const box = make("div", { className: "flagger" },
      make("label", { textContent: "What is wrong " }, kind), text,
      make("label", { textContent: "In which turn (or click it on the left) " }, turn),
      make("label", { textContent: "In one sentence, why " }, note),
      make("div", { className: "actions" },
        make("button", { type: "button", textContent: "Add the flag", onclick: () => this.endFlag(true) }),
        make("button", { type: "button", textContent: "Cancel", onclick: () => this.endFlag(false) })));
    box.setAttribute("role", "group");
    return label(box, "Raise a flag");
  }

  words() {
    if (this.waiting) return "Submitting…";
    if (this.target) return "Opening…";
    if (this.locked) return "You have rated this record.";
    if (this.timer || this.outbox.length) return "Saving…";
    if (this.data.saved_at && (this.dirty || !this.restored)) return `Saved ${this.data.saved_at}`;
    if (this.data.saved_at) return `Draft of ${this.data.saved_at} restored.`;
    return "Nothing is chosen beforehand. Every change is saved at once.";
  }

  say() {
    const fault = this.fault || (this.timer ? "" : this.data.fault);
    const status = this.find(".status");
    status.classList.toggle("fault", Boolean(fault));
    const words = fault || this.words();
    if (status.textContent !== words) status.textContent = words;
  }
}

export default function (component) {
  const root = component.parentElement;
  if (!forms.has(root)) forms.set(root, new ReviewForm(root));
  const form = forms.get(root);
  form.start();
  form.update(component);
  return () => { form.stop(); if (forms.get(root) === form) forms.delete(root); };
}
