// Flags and tags: what is wrong, in which turn, in which of its words, and why.

class Marks extends Evidence {
  hasTags() { return Object.keys(this.data.tags).length > 0; }
  unfinished() { return this.editing.kind === "tag" ? "Add or cancel the tag first." : "Add or cancel the flag first."; }

  start(kind) {
    if (this.still() || this.folded() || this.editing || this.asking) return;
    if (kind === "tag" && !this.hasTags()) return;
    const last = this.data.messages.map((turn) => turn.role).lastIndexOf("assistant", this.shown - 1);
    const where = this.choice ?? { turn: Math.max(last, 0), start: null, end: null };
    const first = (name) => this.data.tags[name][0].id;
    const what = kind === "tag"
      ? { dimension: first("dimension"), about_whom: first("about_whom"), harm: first("harm") }
      : { id: this.data.hard_fails[0].id };
    this.change(() => { this.editing = { kind, ...what, ...where, note: "" }; });
    this.choice = null;
    this.drawChoice();
    this.drawEditor();
    this.drawMarks();
    this.find(".flagger").scrollIntoView({ block: "nearest" });
    this.find(".flagger select").focus({ preventScroll: true });
  }

  end(keep) {
    if (keep) {
      const { kind, note, ...rest } = this.editing;
      if (kind === "flag" && !note.trim()) {
        this.complain(this.active, "A flag needs one sentence of why.");
        return this.find(".flagger input").focus();
      }
      this.step(() => { this.answers[kind === "tag" ? "bias_tags" : "flags"].push({ ...rest, note: note.trim() }); });
    }
    const kind = this.editing.kind;
    this.change(() => { this.editing = null; });
    this.drawEditor();
    this.drawMarks();
    this.find(kind === "tag" ? ".tagging" : ".raise").focus();
  }

  pick(turn) {
    if (!this.editing || this.range() || turn === this.editing.turn) return;
    this.change(() => { Object.assign(this.editing, { turn, start: null, end: null }); });
    this.drawEditor();
    this.drawMarks();
  }

  words(kind, mark) {
    if (kind === "flag") return `${mark.id} ${this.data.hard_fails.find((fail) => fail.id === mark.id)?.name ?? mark.id}`;
    const name = (group) => this.data.tags[group]?.find((word) => word.id === mark[group])?.label ?? mark[group];
    return `${name("dimension")} · ${name("about_whom")} · ${name("harm")}`;
  }

  quoted(mark) {
    return mark.start === null || mark.start === undefined ? "" : `“${short(stretch(this.data.messages[mark.turn]?.content ?? "", mark.start, mark.end))}” `;
  }

  // Everything that hangs on a turn is shown there, and listed once more beside the rubric.
  drawMarks() {
    const held = [
      ...this.answers.flags.map((mark, index) => ({ kind: "flag", mark, index })),
      ...this.answers.bias_tags.map((mark, index) => ({ kind: "tag", mark, index })),
    ];
    const rows = held.map(({ kind, mark, index }) => this.row(kind, mark, index));
    this.find(".flags").replaceChildren(...rows);
    this.find(".form").classList.toggle("picking", Boolean(this.editing));
    const pending = this.editing ?? this.choice;
    [...this.find(".turns").children].forEach((turn, at) => {
      const here = held.filter((one) => one.mark.turn === at);
      turn.classList.toggle("picked", this.editing?.turn === at);
      turn.classList.toggle("marked", here.some((one) => one.kind === "flag"));
      turn.querySelector(".said").replaceChildren(...here.map((one) =>
        make("p", { className: one.kind, textContent: `${one.kind === "flag" ? "⚑" : "◈"} ${this.words(one.kind, one.mark)}` })));
      const spans = here.filter((one) => one.mark.start !== null && one.mark.start !== undefined)
        .map((one) => ({ start: one.mark.start, end: one.mark.end, kind: one.kind }));
      // What the mouse has selected is shown by the browser itself.
      if (pending?.turn === at && pending.start !== null && (this.editing || this.reading)) spans.push({ start: pending.start, end: pending.end, kind: "choosing" });
      this.drawText(at, spans);
    });
  }

  row(kind, mark, index) {
    const words = `${this.words(kind, mark)}, turn ${mark.turn + 1}`;
    const remove = label(button("Remove", () => {
      this.step(() => { this.answers[kind === "tag" ? "bias_tags" : "flags"].splice(index, 1); });
      this.drawMarks();
    }, { disabled: this.still() }), `Remove ${kind} ${words}`);
    return make("div", { className: `raised ${kind}` }, make("div", {},
      make("strong", { textContent: `${kind === "flag" ? "⚑" : "◈"} ${words}: ` }),
      make("span", { textContent: this.quoted(mark) + mark.note })), remove);
  }

  drawEditor() {
    const held = this.find(".flagger");
    const focused = held?.contains(this.focused()) ? this.focused().className : "";
    this.find(".editor").replaceChildren(...(this.editing ? [this.editor()] : []));
    if (focused) this.find(".flagger")?.querySelector(`.${focused.split(" ")[0]}`)?.focus();
  }

  choices(name, choices, chosen, act) {
    const select = make("select", { className: name }, ...choices.map(({ id, label: words }) =>
      make("option", { value: id, textContent: words, selected: String(id) === String(chosen) })));
    select.onchange = () => this.change(() => act(select.value));
    return select;
  }

  editor() {
    const at = this.editing;
    const tag = at.kind === "tag";
    const text = make("p", { className: "text" });
    const explain = () => { text.textContent = this.data.hard_fails.find((fail) => fail.id === at.id)?.text ?? ""; };
    if (!tag) explain();
    const fails = this.data.hard_fails.map((fail) => ({ id: fail.id, label: `${fail.id} ${fail.name}` }));
    const group = (name, words) => make("label", { textContent: words }, this.choices(name, this.data.tags[name], at[name], (value) => { at[name] = value; }));
    const what = tag
      ? [group("dimension", "Dimension "), group("about_whom", "About whom "), group("harm", "Which harm ")]
      : [make("label", { textContent: "What is wrong " }, this.choices("what", fails, at.id, (value) => { at.id = value; explain(); })), text];
    const turns = this.data.messages.slice(0, this.shown).map((message, index) => ({ id: index, label: `Turn ${index + 1} · ${message.label}` }));
    const which = this.choices("which", turns, at.turn, (value) => { Object.assign(at, { turn: Number(value), start: null, end: null }); });
    which.addEventListener("change", () => { this.drawEditor(); this.drawMarks(); });
    const note = make("input", { type: "text", className: "note-line", maxLength: 500, value: at.note });
    note.oninput = () => this.change(() => { at.note = note.value; });
    const evidence = at.start === null || at.start === undefined
      ? make("p", { className: "evidence", textContent: "The whole turn. Select words in it with the mouse, or press E outside a field, to mark the evidence." })
      : make("p", { className: "evidence" }, make("span", { textContent: `Evidence: ${this.quoted(at)}` }),
        button("The whole turn instead", () => { this.change(() => { at.start = at.end = null; }); this.drawEditor(); this.drawMarks(); }));
    const box = make("div", { className: "flagger" }, ...what,
      make("label", { textContent: "In which turn (or click it on the left) " }, which), evidence,
      make("label", { textContent: tag ? "A note, if you like " : "In one sentence, why " }, note),
      make("div", { className: "actions" },
        button(tag ? "Add the tag" : "Add the flag", () => this.end(true)), button("Mark words", () => this.startReading()),
        button("Cancel", () => this.end(false))));
    box.setAttribute("role", "group");
    return label(box, tag ? "Tag a turn" : "Raise a flag");
  }
}
