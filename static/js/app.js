// What every page for signed-in people starts. Each module stands alone; the pages work without any of them.

import { announce, say, toast } from "./announce.js";
import { start as startDialogs } from "./dialogs.js";
import { start as startDownloads } from "./downloads.js";
import { start as startLive } from "./live.js";

/** Times in the device's zone where the person chose none; the server wrote them in UTC. */
function localTimes(root) {
  if (document.documentElement.dataset.zone) return;
  const locale = document.documentElement.dataset.locale || "en";
  const language = locale === "en" ? "en-GB" : locale; // 23 Nov 2026, 18:30, as the server writes it
  const form = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  for (const time of root.querySelectorAll("time[data-local]")) time.textContent = form.format(new Date(time.dateTime));
}

/** The settings' "Not saved yet", and a warning before what was typed is lost. */
function watchUnsaved(form) {
  const note = form.querySelector("[data-unsaved]");
  let isDirty = false;
  form.addEventListener("input", () => { isDirty = true; note.hidden = false; form.dataset.dirty = ""; });
  form.addEventListener("submit", () => { isDirty = false; });
  addEventListener("beforeunload", (event) => { if (isDirty) event.preventDefault(); });
}

function offerTimeZones(field) {
  field.addEventListener("focus", () => {
    field.list.append(...Intl.supportedValuesOf("timeZone").map((zone) => new Option(zone, zone)));
  }, { once: true });
}

/** The keys / and Ctrl K go to the search box, unless the person switched them off; on phones it has a page of its own. */
function searchKeys(box) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]") || !("shortcuts" in document.documentElement.dataset)) return;
    const hasModifier = event.ctrlKey || event.metaKey;
    const isCommand = hasModifier && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k";
    const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
    const isSlash = event.key === "/" && !hasModifier && !event.altKey && !isTyping;
    if (!isCommand && !isSlash) return;
    event.preventDefault();
    if (box.offsetParent === null) { location.href = box.form.action; return; }
    box.focus();
    box.select();
  });
}

/** What the search needs beyond a form is fetched when somebody turns to it. */
function loadSearch(event) {
  if (!event.target.closest?.("form.search, form.narrowing, #results, #items")) return;
  document.removeEventListener("focusin", loadSearch);
  import("./search.js").then((search) => search.start());
}

/** Where the focus goes after a swap: to a problem that came, to the next row when one went, else it stays. */
let focused = null;
function rememberFocus() {
  const element = document.activeElement;
  const row = element?.closest("li, tr");
  focused = element === document.body ? null : { element, row, next: row?.nextElementSibling ?? row?.previousElementSibling };
}
function keepFocus(event) {
  const problem = document.getElementById("flash-error");
  if (problem && event.detail.ctx?.target === "#flash") { problem.focus(); return; }
  if (!focused || document.activeElement !== document.body) return;
  const { element, row, next } = focused;
  const again = element.isConnected ? element : element.id && document.getElementById(element.id);
  const place = again || (row?.isConnected ? row : next?.isConnected ? next : null)?.querySelector("button, a");
  (place || document.querySelector("#queue-heading, main h1"))?.focus();
}

function start() {
  document.addEventListener("htmx:before:swap", rememberFocus);
  document.addEventListener("htmx:after:swap", keepFocus);
  document.addEventListener("htmx:after:swap", (event) => localTimes(event.target.isConnected ? event.target : document));
  document.addEventListener("htmx:error", (event) => {
    // only what a person asked for is worth a note; lists that fetch themselves try again
    const cause = event.detail.ctx?.sourceEvent?.type;
    if (["click", "submit"].includes(cause)) toast(say("failed"), { isError: true });
  });
  document.getElementById("errors")?.focus();
  for (const form of document.querySelectorAll("form[data-saves]")) watchUnsaved(form);
  for (const field of document.querySelectorAll("[data-time-zones]")) offerTimeZones(field);
  localTimes(document);
  startDialogs();
  startDownloads();
  startLive();
  for (const button of document.querySelectorAll("[data-without-script]")) button.hidden = true;
  const box = document.getElementById("q");
  if (box) searchKeys(box);
  document.addEventListener("focusin", loadSearch);
  const saved = document.querySelector(".notice.is-ok[role=status]");
  if (saved) announce(saved.textContent.trim());
}

start();
