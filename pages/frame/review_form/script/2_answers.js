// The answer, its way to the server, and the way back: undo.

class Answers {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.outbox = [];
    this.past = [];
  }

  busy() { return this.waiting || Boolean(this.target); }
  closed() { return this.locked || this.busy() || this.paused; }
  // Nothing is answered about a record of which nothing has been seen.
  still() { return this.closed() || this.shown === 0; }
  focused() { return this.root.getRootNode().activeElement; }

  take(held, half) {
    this.answers = {
      scores: { ...(held.scores || {}) }, verdict: held.verdict || "", note: held.note || "",
      flags: (held.flags || []).map((flag) => ({ ...flag })),
      bias_tags: (held.bias_tags || []).map((tag) => ({ ...tag })),
    };
    this.editing = held.editing ? { ...held.editing } : null;
    this.past = [];
    this.dirty = Boolean(half);
    this.seconds = held.seconds || 0;
    this.touched = performance.now();
    this.basedOn = half ? half.based_on : this.data.draft_version;
  }

  touch() {
    const now = performance.now();
    this.seconds += Math.min(now - this.touched, IDLE_MS) / 1000;
    this.touched = now;
  }

  // A step can be taken back with U; typing cannot, it has the text field's own undo.
  step(act) {
    if (this.still()) return;
    const { scores, verdict, flags, bias_tags } = structuredClone(this.answers);
    this.past = [...this.past.slice(-UNDO_STEPS), { scores, verdict, flags, bias_tags, active: this.active }];
    this.change(act);
  }

  change(act) {
    if (this.still()) return;
    this.touch();
    act();
    this.dirty = true;
    this.fault = "";
    this.word = "";
    // From the first change on, not from the last: who types on and on is saved all the same.
    this.timer ??= setTimeout(() => this.push("draft"), SAVE_AFTER_MS);
    this.say();
  }

  undo() {
    if (this.busy() || this.paused) return;
    const before = this.locked ? null : this.past.pop();
    if (before) {
      const { active, ...answers } = before;
      this.change(() => { Object.assign(this.answers, answers); });
      this.active = active;
      this.word = "Taken back.";
      this.drawMarks();
      this.go(active);
      return this.say();
    }
    if (!this.data.undoable) return this.complain(this.active, "There is nothing to take back: a submitted answer can be taken back for ten minutes.");
    if (this.timer) this.push("draft");
    this.target = this.data.undoable;
    this.post("undo", this.data.undoable);
    this.paint();
  }

  payload() {
    const seconds = Math.round(this.seconds);
    const rest = this.editing ? { editing: { ...this.editing } } : {};
    return { ...structuredClone(this.answers), ...rest, supersedes: this.data.rating_sha256, seconds };
  }

  push(kind) {
    clearTimeout(this.timer);
    this.timer = null;
    // Practice is kept nowhere: only the finished answer leaves the browser, to be compared.
    if (this.data.practice && kind === "draft") return this.say();
    const record = this.data.record_id;
    this.outbox = this.outbox.filter((event) => event.kind !== "draft" || event.record_id !== record);
    this.post(kind, record, { tab: kept.tab, based_on: this.basedOn, shown_sha256: this.data.shown_sha256, payload: this.payload() });
  }

  post(kind, record, rest = {}) {
    kept.seq += 1;
    this.outbox.push({ seq: kept.seq, kind, candidate: this.data.candidate, record_id: record, ...rest });
    this.send("outbox", this.outbox.slice());
    this.say();
  }

  // What was typed in a form that Streamlit took off the page goes on in the next one.

  leave() {
    if (this.dirty && !this.still()) {
      kept.left.set(this.identity, { ...this.payload(), seconds: this.seconds, based_on: this.basedOn, at: performance.now() });
    }
  }

  takeUp() {
    const left = kept.left.get(this.identity);
    kept.left.delete(this.identity);
    return left && performance.now() - left.at < LEFT_MS ? left : null;
  }
}
