// Every key does one thing, wherever on the page the keyboard is, and none while one types.

class Keys extends Rubric {
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
    if (this.paused) { if (event.key === " " && !typing) { taken(); this.resume(); } return; }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && (ours || !typing)) { taken(); return this.submit(); }
    if (this.reading && !typing) { if (this.readingKey(event)) taken(); return; }
    if (event.key === "Escape" && this.asking) { taken(); return this.closeAsk(); }
    if (event.key === "Escape" && target === this.note) { taken(); return this.find(".left").focus({ preventScroll: true }); }
    if (event.key === "Escape" && this.editing) { taken(); return this.end(false); }
    if (event.key === "Escape" && this.choice) { taken(); return this.choose(null); }
    if (typing) {
      if (ours && target.type === "text" && event.key === "Enter" && !event.isComposing) { taken(); this.end(true); }
      else if (ours) event.stopPropagation();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (this.press(event.key.length === 1 ? event.key.toLowerCase() : event.key, target, ours)) taken();
  }

  press(key, target, ours) {
    const control = target?.closest?.('button, a, summary, [role="radio"], [role="tab"], [role="combobox"]');
    if (this.asking) {
      const reason = this.data.reasons[Number(key) - 1];
      if (reason) this.notNow(reason.id);
      return Boolean(reason);
    }
    const act = {
      j: () => this.turn(1), k: () => this.turn(-1), n: () => this.ask(), u: () => this.undo(),
      m: () => this.pause(), "?": () => this.toggleKeys(), a: () => this.reveal(true),
    }[key];
    if (act) { act(); return true; }
    if (key === " ") {
      // A control of the page, or a button of the form, has the space bar to itself.
      if (control && !(ours && this.find(".card").contains(control))) return false;
      if (!this.folded() && this.whole()) return false;
      this.reveal();
      return true;
    }
    if (this.folded()) return false;
    if (control && !ours && key.startsWith("Arrow")) return false;
    if (ours && control?.getAttribute("role") === "radio" && (key === "ArrowLeft" || key === "ArrowRight")) return this.along(control, key);
    if (key === "ArrowDown" || key === "ArrowUp") {
      this.settle();
      this.go(this.active + (key === "ArrowDown" ? 1 : -1));
      if (control?.getAttribute("role") === "radio") this.groups[this.active].find((option) => option.tabIndex === 0)?.focus();
      return true;
    }
    return this.answer(key);
  }

  answer(key) {
    const act = {
      f: () => this.start("flag"), t: () => this.start("tag"), e: () => this.startReading(),
      h: () => this.hide(), w: () => this.note.focus(),
    }[key];
    if (act) { act(); return true; }
    // Whoever reads by keyboard has the form, and nothing but the form, before them.
    this.settle();
    if (this.onVerdict()) {
      const verdict = this.data.verdicts[Number(key) - 1];
      if (!verdict) return false;
      this.decide(verdict.id);
      return true;
    }
    if (key === "x") { this.rate("na"); return true; }
    if (key === "-") { this.rate("cannot_judge"); return true; }
    // On a scale up to ten, 0 is the ten.
    const value = key === "0" ? (this.data.scale.includes("10") ? "10" : "na") : key;
    if (value !== "na" && !this.data.scale.includes(value)) return false;
    this.rate(value);
    return true;
  }

  along(option, key) {
    const group = this.groups.find((options) => options.includes(option));
    const next = (group.indexOf(option) + (key === "ArrowRight" ? 1 : group.length - 1)) % group.length;
    group.forEach((one, index) => { one.tabIndex = index === next ? 0 : -1; });
    group[next].focus();
    return true;
  }
}
