// Another place in the line: by dragging a row at its handle (mouse, pen, finger), or by the handle's menu. The server says which place it became, since
// people take turns.

import { announce, say } from "./announce.js";

const MOVED_PX = 6; // less is a click
const EDGE_PX = 64; // so near to the edge of the window the page scrolls along
const CLICK_AFTER_MS = 80;
let drag = null;
let draggedAt = -Infinity;

const rows = () => [...document.querySelectorAll("#download-list > li[data-place]")];

/** Send a move and say where the row stands now. `address`: of the download; `verb`: up, down, top or place. */
export async function move(address, verb, row, values = {}) {
  const id = row.id;
  await window.htmx.ajax("POST", `${address}/${verb}`, { source: row, target: row, swap: "outerMorph", values });
  const moved = document.getElementById(id);
  const words = [moved?.querySelector(".name"), moved?.querySelector(".badge")].map((one) => one?.textContent.trim()).filter(Boolean);
  announce(say("moved", { what: words.join(": ") }));
  document.body.dispatchEvent(new CustomEvent("downloads"));
}

function clear() {
  for (const row of document.querySelectorAll(".is-dragged, .drop-before, .drop-after")) row.classList.remove("is-dragged", "drop-before", "drop-after");
}

function begin(event) {
  const handle = event.target.closest?.("a[data-line-menu]");
  const row = handle?.closest("li[data-place]");
  if (!row || event.button !== 0 || !event.isPrimary) return;
  drag = { handle, row, startY: event.clientY, isMoving: false, target: null, pointer: event.pointerId };
}

function over(y) {
  clear();
  drag.row.classList.add("is-dragged");
  drag.target = null;
  const others = rows();
  const mine = others.indexOf(drag.row);
  for (const [index, row] of others.entries()) {
    const box = row.getBoundingClientRect();
    if (row === drag.row || y < box.top || y > box.bottom) continue;
    drag.target = row;
    row.classList.add(index < mine ? "drop-before" : "drop-after");
  }
}

function follow(event) {
  if (!drag || event.pointerId !== drag.pointer) return;
  if (!drag.isMoving) {
    if (Math.abs(event.clientY - drag.startY) < MOVED_PX) return;
    drag.isMoving = true;
    drag.handle.setPointerCapture(event.pointerId);
    announce(say("dragging"));
  }
  event.preventDefault();
  if (event.clientY < EDGE_PX) scrollBy(0, -12);
  else if (event.clientY > innerHeight - EDGE_PX) scrollBy(0, 12);
  over(event.clientY);
}

function end(event) {
  if (!drag || event.pointerId !== drag.pointer) return;
  const { handle, row, isMoving, target } = drag;
  drag = null;
  clear();
  if (!isMoving) return;
  draggedAt = event.timeStamp;
  if (target && event.type === "pointerup") move(handle.href.split("#")[0], "place", row, { position: target.dataset.place });
}

// The click that follows a drag opens no menu.
function onClick(event) {
  if (event.timeStamp - draggedAt > CLICK_AFTER_MS || !event.target.closest?.("a[data-line-menu]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

function cancel(event) {
  if (event.key !== "Escape" || !drag?.isMoving) return;
  drag = null;
  clear();
}

export function start() {
  document.addEventListener("pointerdown", begin);
  document.addEventListener("pointermove", follow, { passive: false });
  document.addEventListener("pointerup", end);
  document.addEventListener("pointercancel", end);
  document.addEventListener("keydown", cancel);
  document.addEventListener("click", onClick, { capture: true });
  document.addEventListener("dragstart", (event) => { if (event.target.closest?.("a[data-line-menu]")) event.preventDefault(); }); // a link would drag itself
}
