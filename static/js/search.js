// The search box of every page: arrow keys over what was found, the number of results said aloud. Fetched by app.js when somebody turns to the box;
// without it the box is a plain form.

import { announce } from "./announce.js";

const FOUND = "#suggestions a, #results .posters a, #results .rows .act a, #items .posters a";

/** What lies next to `from` in a direction, by where it stands on the page. */
function neighbour(from, key, links) {
  const place = links.indexOf(from);
  if (key === "ArrowRight") return links[place + 1];
  if (key === "ArrowLeft") return links[place - 1];
  const frame = (link) => (link.closest(".poster, li") ?? link).getBoundingClientRect();
  const here = frame(from);
  const isBelow = key === "ArrowDown";
  const beyond = links.filter((link) => (isBelow ? frame(link).top >= here.bottom - 4 : frame(link).bottom <= here.top + 4));
  const far = (link) => Math.abs(frame(link).top - here.top) * 4 + Math.abs(frame(link).left - here.left);
  return beyond.sort((a, b) => far(a) - far(b))[0];
}

function close(box) {
  const suggestions = document.getElementById("suggestions");
  if (suggestions) { suggestions.replaceChildren(); delete suggestions.dataset.announce; }
  box.removeAttribute("aria-expanded");
}

const said = new Map(); // id → what was last announced of it

function say() {
  for (const place of document.querySelectorAll("[data-announce]")) {
    const text = place.dataset.announce;
    if (text && said.get(place.id) !== text) announce(text);
    said.set(place.id, text);
  }
}

export function start() {
  for (const place of document.querySelectorAll("[data-announce]")) said.set(place.id, place.dataset.announce);
  document.addEventListener("htmx:after:swap", say);
  const box = document.getElementById("q");
  if (!box) return;
  const form = box.form;

  document.addEventListener("keydown", (event) => {
    const isInBox = event.target === box;
    const isOnLink = event.target.matches?.(FOUND);
    if (!isInBox && !isOnLink) return;
    if (event.key === "Escape" && (isOnLink || document.querySelector("#suggestions a"))) {
      event.preventDefault();
      close(box);
      box.focus();
      return;
    }
    if (!event.key.startsWith("Arrow") || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const links = [...document.querySelectorAll(FOUND)].filter((link) => form.contains(link) === (form.contains(event.target) && document.querySelector("#suggestions a") !== null));
    if (isInBox && event.key !== "ArrowDown") return;
    const next = isInBox ? links[0] : neighbour(event.target, event.key, links);
    if (next) { event.preventDefault(); next.focus(); }
    else if (isOnLink && event.key === "ArrowUp") { event.preventDefault(); box.focus(); }
  });

  form.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !form.contains(event.relatedTarget)) close(box);
  });
  document.addEventListener("pointerdown", (event) => { if (!form.contains(event.target)) close(box); });

  // a reload, a bookmark and the way back show what was searched last
  if (form.dataset.page !== undefined) {
    document.addEventListener("htmx:after:swap", () => {
      if (document.activeElement !== box) return;
      const wanted = new URLSearchParams(new FormData(form));
      history.replaceState(history.state, "", `${form.action}?${wanted}`);
    });
  }
}
