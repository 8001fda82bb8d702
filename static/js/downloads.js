// The add box (preview by itself, several links, growing field) and the menu for the place in line.

import { announce, say } from "./announce.js";
import { move, start as startDragging } from "./drag.js";

const PREVIEW_AFTER_MS = 500;
const LOOKS_LIKE_LINK = /^\s*(https?:\/\/)?[^\s/]+\.[^\s/.]{2,}\S*\s*$/i;
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
