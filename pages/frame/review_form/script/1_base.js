// The whole answer lives in the browser and travels as numbered events that name their record,
// so that keys pressed faster than the server answers neither vanish nor land on the wrong item.
// Words from a record become text nodes and nothing else.
//
// The files of this folder are read in order of their names and share one scope; each class adds
// one concern to the one before it, and the last is the form.

const SAVE_AFTER_MS = 150;
const IDLE_MS = 60000;
const LEFT_MS = 10000;
const UNDO_STEPS = 200;
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
const button = (words, act, properties = {}) => make("button", { type: "button", textContent: words, onclick: act, ...properties });
// The desk counts code points, the browser UTF-16 units.
const points = (text, units) => [...text.slice(0, units)].length;
const stretch = (text, start, end) => [...text].slice(start, end).join("");
const short = (text, most = 80) => ([...text].length > most ? `${stretch(text, 0, most)}…` : text);
