// Evidence is chosen with the mouse, as any text is, or with the keyboard, word by word.

class Evidence extends Dialogue {
  // A choice names a turn and code points of its exact text.
  fromMouse() {
    if (this.reading || this.folded()) return;
    const range = this.range();
    const turns = [...this.find(".turns").children];
    const turn = range ? turns.findIndex((one) => one.querySelector(".text").contains(range.startContainer)) : -1;
    if (turn < 0) { if (this.choice && !this.editing) this.choose(null); return; }
    const text = turns[turn].querySelector(".text");
    // A selection that runs on into the next turn ends with this one.
    const start = this.units(text, range.startContainer, range.startOffset);
    const end = text.contains(range.endContainer) ? this.units(text, range.endContainer, range.endOffset) : text.textContent.length;
    if (end > start) this.choose({ turn, start: points(text.textContent, start), end: points(text.textContent, end) });
  }

  range() {
    const home = this.root.getRootNode();
    const selection = home.getSelection?.() ?? document.getSelection();
    if (!selection || selection.rangeCount === 0) return null;
    const composed = home instanceof ShadowRoot && selection.getComposedRanges?.({ shadowRoots: [home] })[0];
    const range = composed || selection.getRangeAt(0);
    return range.startContainer === range.endContainer && range.startOffset === range.endOffset ? null : range;
  }

  units(text, node, offset) {
    const before = document.createRange();
    before.setStart(text, 0);
    before.setEnd(node, offset);
    return before.toString().length;
  }

  choose(choice) {
    this.choice = choice;
    if (choice && this.editing) {
      this.change(() => { Object.assign(this.editing, choice); });
      this.drawEditor();
    }
    this.drawMarks();
    this.drawChoice();
  }

  drawChoice() {
    const bar = this.find(".choice");
    bar.hidden = !this.choice || Boolean(this.editing) || Boolean(this.reading);
    if (bar.hidden) return;
    const { turn, start, end } = this.choice;
    this.find(".choice .words").textContent = `Turn ${turn + 1}: “${short(stretch(this.data.messages[turn].content, start, end))}”`;
    this.find(".choice .tag").hidden = !this.hasTags();
  }

  // --- By keyboard.

  startReading() {
    if (this.still() || this.folded() || this.asking) return;
    const last = this.data.messages.map((one) => one.role).lastIndexOf("assistant", this.shown - 1);
    const turn = this.editing ? this.editing.turn : this.choice?.turn ?? Math.max(last, 0);
    this.reading = { turn: Math.min(turn, this.shown - 1), from: 0, to: 0 };
    this.find(".left").focus({ preventScroll: true });
    this.moveReading(0, 0, false);
  }

  // Words of a turn, as code points from and to.
  wordsOf(turn) {
    const text = this.data.messages[turn].content;
    return [...text.matchAll(/\S+/gu)].map((match) => {
      const start = points(text, match.index);
      return { start, end: start + [...match[0]].length };
    });
  }

  moveReading(byTurn, byWord, longer) {
    const at = this.reading;
    if (byTurn) { at.turn = Math.min(Math.max(at.turn + byTurn, 0), this.shown - 1); at.from = at.to = 0; }
    const words = this.wordsOf(at.turn);
    if (!words.length) return this.tell(`Turn ${at.turn + 1} has no words.`);
    at.to = Math.min(Math.max(at.to + byWord, 0), words.length - 1);
    if (!longer) at.from = at.to;
    const [first, last] = [Math.min(at.from, at.to), Math.max(at.from, at.to)];
    this.choice = { turn: at.turn, start: words[first].start, end: words[last].end };
    this.drawMarks();
    this.find(".turns").children[at.turn].querySelector("mark.choosing")?.scrollIntoView({ block: "nearest" });
    const content = this.data.messages[at.turn].content;
    this.tell(`Turn ${at.turn + 1}, word ${first + 1}${last > first ? ` to ${last + 1}` : ""} of ${words.length}: “${short(stretch(content, this.choice.start, this.choice.end))}”. Shift and arrows mark more, Enter keeps it, Escape leaves.`);
  }

  endReading(keep) {
    this.reading = null;
    this.word = "";
    if (!keep) this.choice = null;
    if (this.choice && this.editing) {
      this.choose(this.choice);
      this.choice = null;
      this.say();
      return this.find(".flagger .note-line")?.focus();
    }
    if (keep && this.choice) this.tell(this.hasTags() ? "Marked. F raises a flag on it, T tags it." : "Marked. F raises a flag on it.");
    this.drawMarks();
    this.drawChoice();
    this.say();
  }

  tell(words) { this.word = words; this.say(); }

  readingKey(event) {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (by) this.moveReading(by[0], by[1], event.shiftKey && by[1] !== 0);
    else if (event.key === "Enter") this.endReading(true);
    else if (event.key === "Escape") this.endReading(false);
    else return false;
    return true;
  }
}
