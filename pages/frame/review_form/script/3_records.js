// From record to record. The answer of the one that is left goes ahead of the move.

const STATES = { open: "open", draft: "draft", done: "done", later: "not now", elsewhere: "with somebody else" };

class Records extends Answers {
  turn(by) {
    const records = this.data.records;
    const at = records.findIndex((one) => one.id === (this.target || this.data.record_id));
    const to = records[at + by];
    if (to) this.visit(to.id);
  }

  visit(record) {
    if (this.waiting || this.paused || record === (this.target || this.data.record_id)) return;
    if (this.editing) { this.list.value = this.data.record_id; return this.complain(this.active, this.unfinished()); }
    if (this.timer) this.push("draft");
    this.outbox = this.outbox.filter((event) => event.kind !== "go");
    this.closeAsk();
    this.target = record;
    this.list.value = record;
    this.post("go", record);
    this.paint();
  }

  drawList() {
    const count = this.data.records.length;
    const words = this.data.records.map((one, index) => `Record ${index + 1} of ${count} · ${STATES[one.state] ?? one.state}`);
    if (this.list.dataset.words !== words.join("|")) {
      this.list.dataset.words = words.join("|");
      this.list.replaceChildren(...this.data.records.map((one, index) => make("option", { value: one.id, textContent: words[index] })));
    }
    this.list.value = this.target || this.data.record_id;
    const at = this.data.records.findIndex((one) => one.id === this.list.value);
    this.find(".back").disabled = at <= 0;
    this.find(".next").disabled = at >= count - 1;
  }

  // --- Not now: somebody else reads it, and it counts against nobody.

  ask() {
    if (this.closed() || this.editing || this.asking || this.data.practice) return;
    this.asking = true;
    const choices = this.data.reasons.map((reason, index) =>
      button(`${index + 1}  ${reason.label}`, () => this.notNow(reason.id)));
    this.find(".ask").replaceChildren(
      make("p", { className: "name", textContent: "Not now. Why? It goes to somebody else and counts against nobody." }),
      make("div", { className: "choices" }, ...choices, button("Cancel", () => this.closeAsk())));
    this.find(".ask").hidden = false;
    choices[0].focus();
  }

  closeAsk() {
    if (!this.asking) return;
    this.asking = false;
    this.find(".ask").hidden = true;
    this.find(".ask").replaceChildren();
    this.find(".left").focus({ preventScroll: true });
  }

  notNow(reason) {
    const record = this.data.record_id;
    this.closeAsk();
    if (this.timer) this.push("draft");
    this.waiting = true;
    this.post("not_now", record, { reason });
    this.paint();
  }
}
