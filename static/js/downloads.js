// The add box (preview by itself, several links, growing field), and the line: a row gets another place by dragging it at its handle (mouse, pen, finger) or
// by the handle's menu. The server says which place it became, since people take turns.

import { announce, say } from "./announce.js";

const PREVIEW_AFTER_MS = 500;
const LOOKS_LIKE_LINK = /^\s*(https?:\/\/)?[^\s/]+\.[^\s/.]{2,}\S*\s*$/i;
const MOVED_PX = 6; // less is a click
const EDGE_PX = 64; // so near to the edge of the window the page scrolls along
const CLICK_AFTER_MS = 80;
let drag = null;
let draggedAt = -Infinity;
let timer = 0;
let lastAsked = "";

const field = () => document.getElementById("add-url");

// By the rows attribute, not by a style: htmx copies style attributes when it swaps, and the policy forbids that.
function grow(area) {
  area.rows = Math.min(8, area.value.split("\n").length);
}

function clearPreview() {
  lastAsked = "";
  document.getElementById("preview")?.replaceChildren();
}

/** Ask the server what the link leads to, once for each link. One line only: several links are simply added. */
function askPreview() {
  const link = field().value.trim();
  if (!LOOKS_LIKE_LINK.test(link)) { clearPreview(); return; }
  if (link === lastAsked) return;
  lastAsked = link;
  const preview = document.getElementById("preview");
  preview.dataset.looking = say("looking");
  field().dispatchEvent(new CustomEvent("preview", { bubbles: true }));
}

function onInput(event) {
  if (event.target.id !== "add-url") return;
  grow(event.target);
  clearTimeout(timer);
  timer = setTimeout(askPreview, event.inputType === "insertFromPaste" ? 1 : PREVIEW_AFTER_MS);
}

// Another quality takes something else: the preview says so again. What a link leads to is remembered, so no site is asked.
function onChoice(event) {
  if (event.target.form?.id !== "add-form" || event.target.id === "add-url" || !lastAsked) return;
  lastAsked = "";
  askPreview();
}

// Enter sends, Shift+Enter starts a new line.
function onKey(event) {
  if (event.target.id === "add-url" && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    clearTimeout(timer);
    event.target.form.requestSubmit();
  }
}

// A link that is already in the list: its row moves to the top instead of standing there twice.
function beforeSwap(event) {
  if (event.detail.ctx?.sourceElement?.id !== "add-form") return;
  for (const task of event.detail.tasks ?? []) {
    if (task.type !== "main") continue;
    for (const row of task.fragment.querySelectorAll?.("li[id]") ?? []) document.getElementById(row.id)?.remove();
  }
}

function afterSwap(event) {
  const source = event.detail.ctx?.sourceElement;
  if (source?.id === "add-form" && event.detail.ctx.response?.status < 400) {
    clearTimeout(timer);
    lastAsked = "";
    field()?.focus();
  }
  if (event.detail.ctx?.target?.id === "preview") {
    const title = document.querySelector("#preview strong, #preview .error");
    if (title) announce(title.textContent);
  }
  const open = document.getElementById("chips")?.dataset.open;
  if (open !== undefined) for (const count of document.querySelectorAll("[data-open-count]")) count.textContent = open === "0" ? "" : open;
}

/** Focus is never left on a row that went away: the next one takes it, or the list's heading. */
function onGone(event) {
  const row = event.target.closest("li");
  if (!row?.contains(document.activeElement)) return;
  const next = row.nextElementSibling ?? row.previousElementSibling;
  (next?.querySelector("a, button") ?? document.querySelector("#queue-heading, #now-heading, main h1"))?.focus();
}

const rows = () => [...document.querySelectorAll("#download-list > li[data-place]")];

/** Send a move and say where the row stands now. `address`: of the download; `verb`: up, down, top or place. */
async function move(address, verb, row, values = {}) {
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

function startDragging() {
  document.addEventListener("pointerdown", begin);
  document.addEventListener("pointermove", follow, { passive: false });
  document.addEventListener("pointerup", end);
  document.addEventListener("pointercancel", end);
  document.addEventListener("keydown", cancel);
  document.addEventListener("click", onClick, { capture: true });
  document.addEventListener("dragstart", (event) => { if (event.target.closest?.("a[data-line-menu]")) event.preventDefault(); }); // a link would drag itself
}

function openLineMenu(event) {
  const opener = event.target.closest("a[data-line-menu]");
  const menu = document.getElementById("line-menu");
  if (!opener || !menu?.showPopover) return;
  event.preventDefault();
  const here = opener.href.split("#")[0];
  for (const button of menu.querySelectorAll("[data-move]")) {
    button.onclick = () => {
      menu.hidePopover();
      move(here, button.dataset.move, opener.closest("li"));
    };
  }
  menu.showPopover();
  const place = opener.getBoundingClientRect();
  const top = place.bottom + menu.offsetHeight > innerHeight - 64 ? place.top - menu.offsetHeight : place.bottom;
  menu.style.setProperty("top", `${Math.max(8, top)}px`);
  menu.style.setProperty("left", `${Math.max(8, Math.min(place.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8))}px`);
  menu.querySelector("button").focus();
  menu.addEventListener("toggle", (change) => { if (change.newState === "closed" && document.activeElement === document.body) opener.focus(); }, { once: true });
}

export function start() {
  document.addEventListener("input", onInput);
  document.addEventListener("change", onChoice);
  document.addEventListener("keydown", onKey);
  startDragging();
  document.addEventListener("click", openLineMenu);
  document.addEventListener("htmx:before:swap", beforeSwap);
  document.addEventListener("htmx:after:swap", afterSwap);
  document.addEventListener("medianest:gone", onGone);
  if (field()?.value) grow(field());
}
