// The dialogue: what comes is said first, it opens turn by turn or whole, and hides at once.

const HARD = ["no hard content was found", "some of it may be hard", "hard content", "very hard content"];

class Dialogue extends Records {
  folded() { return this.hidden || this.shown === 0; }
  whole() { return this.shown >= this.data.messages.length; }

  fold(begun) {
    this.hidden = false;
    this.paused = false;
    this.find(".form").classList.remove("paused");
    this.find(".pause").hidden = true;
    this.shown = this.data.withheld || (this.data.card.folded && !begun) ? 0 : this.data.messages.length;
    clearTimeout(this.resting);
    this.resting = null;
    if (this.data.withheld) this.resting = setTimeout(() => this.post("look", this.data.record_id), 1000 * this.data.withheld);
    this.drawCard();
  }

  drawCard() {
    const card = this.find(".card");
    const { card: about, withheld } = this.data;
    card.hidden = !this.folded();
    const themes = about.themes.map((theme) => theme.title).join(", ");
    const level = `Intensity ${about.intensity} of 3: ${HARD[about.intensity]}.`;
    const title = this.hidden ? "The text is hidden" : withheld ? "A rest is due first" : "What comes next";
    const lines = this.hidden ? ["Take the time you need."] : [
      themes ? `This record may speak of: ${themes}.` : "The word lists found no hard theme; they do not find everything.", level,
      ...(this.data.family_words ? [this.data.family_words] : []),
      ...(withheld ? [`You have read several hard records in a row. The next one opens by itself in ${Math.ceil(withheld / 60)} min; lighter records can be read meanwhile.`] : []),
      ...(this.data.budget ? [this.data.budget] : []),
      "You may stop at any time. Nothing you have saved is lost, and leaving a record unread counts against nobody.",
    ];
    this.find(".card-title").textContent = title;
    this.find(".card-words").replaceChildren(...lines.map((words) => make("p", { textContent: words })));
    this.find(".reveal").hidden = Boolean(withheld) && !this.hidden;
    this.find(".reveal .does").textContent = this.hidden ? "Show it again" : "Show the first turn";
    this.find(".reveal-all").hidden = this.hidden || Boolean(withheld);
    this.drawShown();
  }

  drawShown() {
    const hidden = this.folded();
    this.find(".form").classList.toggle("folded", hidden);
    [...this.find(".turns").children].forEach((turn, index) => { turn.hidden = hidden || index >= this.shown; });
    const left = this.data.messages.length - this.shown;
    this.find(".more").hidden = hidden || left <= 0;
    this.find(".more .count").textContent = left === 1 ? "One turn is still folded." : `${left} turns are still folded.`;
    this.find(".hide").disabled = hidden || this.paused;
  }

  reveal(all = false) {
    if (this.busy() || this.paused) return;
    if (this.hidden) this.hidden = false;
    else if (this.data.withheld) return;
    else this.shown = all ? this.data.messages.length : Math.min(this.shown + 1, this.data.messages.length);
    if (!this.data.card.opened && !this.told) { this.told = true; this.post("opened", this.data.record_id); }
    this.touched = performance.now();
    this.drawCard();
    const last = this.find(".turns").children[this.shown - 1];
    if (!all && last) last.scrollIntoView({ block: "nearest" });
    if (!this.focused() || this.find(".card").contains(this.focused())) this.find(".left").focus({ preventScroll: true });
    this.paint();
  }

  hide() {
    if (this.folded() || this.paused) return;
    this.hidden = true;
    this.drawCard();
    this.find(".reveal").focus();
  }

  // --- "I need a minute": everything is out of sight and the clock stands still.

  pause() {
    if (this.paused || this.busy()) return;
    this.touch();
    if (this.timer) this.push("draft");
    this.paused = true;
    this.find(".form").classList.add("paused");
    this.find(".pause").hidden = false;
    this.find(".resume").focus();
    this.paint();
    this.say();
  }

  resume() {
    if (!this.paused) return;
    this.paused = false;
    this.touched = performance.now();
    this.find(".form").classList.remove("paused");
    this.find(".pause").hidden = true;
    // What was open is shown again only when asked for.
    if (!this.folded()) this.hide();
    else this.find(".left").focus({ preventScroll: true });
    this.paint();
    this.say();
  }

  // --- Drawing: elements are made once for a record and changed in place, so that focus stays.

  drawTurns() {
    this.find(".turns").replaceChildren(...this.data.messages.map((turn, index) => {
      const item = make("li", { className: `turn ${turn.role}` },
        make("div", { className: "who", textContent: `${index + 1} · ${turn.label}` }),
        make("p", { className: "text", textContent: turn.content }),
        make("div", { className: "said" }));
      item.onclick = () => this.pick(index);
      return item;
    }));
    this.drawShown();
  }

  // Marks cut the text into pieces and leave every character in its place.
  drawText(index, marks) {
    const text = this.find(".turns").children[index].querySelector(".text");
    const content = this.data.messages[index].content;
    const drawn = JSON.stringify(marks);
    if ((text.dataset.marks ?? "[]") === drawn) return;
    text.dataset.marks = drawn;
    const all = [...content];
    const cuts = [...new Set([0, all.length, ...marks.flatMap((mark) => [mark.start, mark.end])])].sort((a, b) => a - b);
    text.replaceChildren(...cuts.slice(0, -1).map((start, at) => {
      const piece = all.slice(start, cuts[at + 1]).join("");
      const kinds = marks.filter((mark) => mark.start <= start && start < mark.end).map((mark) => mark.kind);
      return kinds.length ? make("mark", { className: [...new Set(kinds)].join(" "), textContent: piece }) : document.createTextNode(piece);
    }));
  }
}
