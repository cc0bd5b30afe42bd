// The rubric: one question is active, with its anchors; rating it moves on to the next.

class Rubric extends Marks {
  onVerdict() { return this.active === this.data.items.length; }
  firstOpen() {
    const index = this.data.items.findIndex((item) => !(item.id in this.answers.scores));
    return index < 0 ? this.data.items.length : index;
  }

  rate(value) {
    const item = this.data.items[this.active];
    if (this.still()) return;
    if (value === "na" && item.must) return this.complain(this.active, `${item.id} has to be judged here: rate it, or say that you cannot judge.`);
    this.step(() => { this.answers.scores[item.id] = value; });
    this.go(this.active + 1);
  }

  decide(verdict) { this.step(() => { this.answers.verdict = verdict; }); this.go(this.data.items.length); }

  go(row) {
    this.active = Math.min(Math.max(row, 0), this.data.items.length);
    this.paint();
    const box = this.onVerdict() ? this.find(".verdict-row") : this.find(".items").children[this.active];
    box.scrollIntoView({ block: "nearest" });
  }

  // The top of the form at the top of the window, once: from then on only the rubric scrolls.
  settle() {
    if (this.root.querySelector(".form").getBoundingClientRect().top > 0) this.find(".top").scrollIntoView({ block: "start" });
  }

  submit() {
    if (this.still()) return;
    if (this.editing) return this.complain(this.active, this.unfinished());
    const open = this.data.items.findIndex((item) => !(item.id in this.answers.scores) && !item.optional);
    if (open >= 0) return this.complain(open, `${this.data.items[open].id} ${this.data.items[open].name} has no answer yet.`);
    const { flags, verdict } = this.answers;
    if (!verdict) return this.complain(this.data.items.length, "Choose a verdict.");
    if (flags.length && verdict === "accept") {
      return this.complain(this.data.items.length, "A record with a flag cannot be accepted: choose another verdict or remove the flag.");
    }
    // Who has seen enough to reject with a flag need not read the rest.
    if (!this.whole() && !(flags.length && verdict === "reject")) return this.complain(this.active, "Some turns are still folded: Space shows the next one, A all of them.");
    this.touch();
    this.waiting = true;
    this.fault = "";
    this.push("submit");
    this.paint();
  }

  complain(row, words) { this.fault = words; this.go(row); this.say(); }

  reopen() {
    this.locked = false;
    this.active = 0;
    this.drawMarks();
    this.paint();
    this.say();
  }

  option(words, name, value, act) {
    const choice = label(button(words, act), name);
    choice.setAttribute("role", "radio");
    choice.dataset.value = value;
    return choice;
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
      this.option(`${index + 1}  ${choice.label}`, choice.label, choice.id, () => this.decide(choice.id)));
    this.groups.push(options);
    this.find(".verdict").replaceChildren(...options);
  }

  paint() {
    const held = [...this.data.items.map((item) => this.answers.scores[item.id]), this.answers.verdict];
    const still = this.still();
    this.groups.forEach((options, row) => {
      const chosen = options.findIndex((option) => option.dataset.value === held[row]);
      options.forEach((option, index) => {
        option.setAttribute("aria-checked", String(index === chosen));
        option.tabIndex = index === Math.max(chosen, 0) ? 0 : -1;
        option.disabled = still;
      });
    });
    [...this.find(".items").children].forEach((box, row) => box.classList.toggle("active", row === this.active));
    this.find(".verdict-row").classList.toggle("active", this.onVerdict());
    this.find(".form").classList.toggle("open", !this.busy());
    this.find(".submit").hidden = this.locked;
    this.find(".submit .does").textContent = this.data.practice ? "Compare with the model answer" : "Submit and go on";
    for (const one of this.root.querySelectorAll(".steps, .later")) one.hidden = this.data.practice;
    this.find(".again").hidden = !this.locked;
    this.find(".tagging").hidden = !this.hasTags();
    for (const one of this.root.querySelectorAll(".submit, .raise, .tagging, .raised button")) one.disabled = still;
    this.find(".later").disabled = this.closed();
    this.find(".undo").disabled = this.busy() || (!this.data.undoable && (this.locked || !this.past.length));
    this.note.disabled = still;
  }
}
