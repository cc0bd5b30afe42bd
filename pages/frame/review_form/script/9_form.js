// The form as Streamlit sees it: mounted once, updated with every answer of the server.

class ReviewForm extends Keys {
  constructor(root) {
    super(root);
    this.onKey = (event) => this.key(event);
    this.onLeave = () => { if (this.timer) this.push("draft"); };
    this.note = this.find(".note textarea");
    this.note.oninput = () => this.change(() => { this.answers.note = this.note.value; });
    this.list = this.find(".list");
    this.list.onchange = () => this.visit(this.list.value);
    this.find(".left").onmouseup = () => setTimeout(() => this.fromMouse());
    const acts = {
      reveal: () => this.reveal(), "reveal-all": () => this.reveal(true), "more-one": () => this.reveal(), "more-all": () => this.reveal(true),
      submit: () => this.submit(), again: () => this.reopen(), raise: () => this.start("flag"), tagging: () => this.start("tag"),
      "choice .flag-it": () => this.start("flag"), "choice .tag": () => this.start("tag"), "choice .clear": () => this.choose(null),
      undo: () => this.undo(), later: () => this.ask(), hide: () => this.hide(), minute: () => this.pause(), resume: () => this.resume(),
      help: () => this.toggleKeys(), back: () => this.turn(-1), next: () => this.turn(1),
    };
    for (const [name, act] of Object.entries(acts)) this.find(`.${name}`).onclick = act;
  }

  mount() {
    // Before Streamlit's own shortcuts: it sees a key typed in here as typed on the page.
    document.addEventListener("keydown", this.onKey, true);
    addEventListener("pagehide", this.onLeave);
    document.addEventListener("visibilitychange", this.onLeave);
  }

  unmount() {
    this.onLeave();
    this.leave();
    clearTimeout(this.resting);
    document.removeEventListener("keydown", this.onKey, true);
    document.removeEventListener("visibilitychange", this.onLeave);
    removeEventListener("pagehide", this.onLeave);
  }

  update({ data, setStateValue }) {
    newest = this;
    this.send = setStateValue;
    this.outbox = this.outbox.filter((event) => event.seq > data.acked);
    kept.seq = Math.max(kept.seq, data.acked);
    const identity = `${data.candidate} ${data.claim} ${data.record_id} ${data.rating_sha256} ${data.reopened} ${data.withheld ? "withheld" : ""}`;
    const fresh = this.identity !== identity;
    const moved = Boolean(this.data) && fresh;
    // What was typed and not yet sent belongs to the record that is leaving the screen.
    if (moved && this.timer) this.push("draft");
    this.data = data;
    this.identity = identity;
    if (!this.outbox.some((event) => event.kind === "go" || event.kind === "undo")) this.target = "";
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
    this.take(taken || rating || {}, half);
    this.locked = Boolean(rating) && !taken;
    this.restored = Boolean(taken);
    this.again = Boolean(taken?.supersedes);
    this.waiting = false;
    this.fault = "";
    this.word = "";
    this.choice = null;
    this.reading = null;
    this.told = false;
    this.closeAsk();
    this.active = this.firstOpen();
    this.note.value = this.answers.note;
    this.find(".question").textContent = this.data.question;
    for (const support of this.root.querySelectorAll(".support")) support.textContent = this.data.support;
    for (const one of this.root.querySelectorAll(".for-tags")) one.hidden = !this.hasTags();
    this.drawTurns();
    this.fold(this.data.card.opened || Boolean(rating));
    if (this.editing && (this.editing.turn >= this.shown || this.locked)) this.editing = null;
    this.drawItems();
    this.drawVerdicts();
    this.drawEditor();
    this.drawMarks();
    this.drawChoice();
    this.paint();
    if (half) this.timer ??= setTimeout(() => this.push("draft"), SAVE_AFTER_MS);
    this.takeFocus(moved);
  }

  // The next record is announced, and Tab goes on from its first turn. A form that has just come
  // to the page takes the keyboard too, unless somebody is typing or choosing elsewhere.
  takeFocus(moved) {
    const left = this.find(".left");
    const elsewhere = document.activeElement?.closest?.('input:not([type="radio"], [type="checkbox"]), textarea, select, [role="combobox"], [role="listbox"]');
    if (!moved && elsewhere) return;
    left.focus({ preventScroll: true });
    if (!moved) return;
    this.find(".right").scrollTop = 0;
    this.find(".top").scrollIntoView({ block: "start" });
  }

  sentence() {
    if (this.paused) return "Paused. The clock stands still.";
    if (this.waiting) return this.data.practice ? "Comparing…" : "Submitting…";
    if (this.target) return "Opening…";
    if (this.word) return this.word;
    if (this.locked) return "You have rated this record.";
    if (this.again && !this.dirty) return "Taken back: what you submitted stands until you submit again.";
    if (this.data.practice) return "Practice: nothing of it is kept.";
    if (this.timer || this.outbox.length) return "Saving…";
    if (this.data.saved_at && (this.dirty || !this.restored)) return `Saved ${this.data.saved_at}`;
    if (this.data.saved_at) return `Draft of ${this.data.saved_at} restored.`;
    return "Every change is saved at once.";
  }

  say() {
    const fault = this.fault || (this.timer ? "" : this.data.fault);
    const status = this.find(".status");
    status.classList.toggle("fault", Boolean(fault));
    const words = fault || this.sentence();
    if (status.textContent !== words) status.textContent = words;
  }
}

export default function (component) {
  const root = component.parentElement;
  if (!forms.has(root)) forms.set(root, new ReviewForm(root));
  const form = forms.get(root);
  form.mount();
  form.update(component);
  return () => { form.unmount(); if (forms.get(root) === form) forms.delete(root); };
}
