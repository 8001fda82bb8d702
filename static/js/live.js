// The live link: one WebSocket a page. It carries names and numbers, never HTML. A changed download becomes the DOM event `download-<id>` on body, which its
// row hears and fetches itself; numbers of a running one are set in place. After a gap the lists fetch themselves again (`resync`).

import { announce, say } from "./announce.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 10000;
const SESSION_ENDED = 4401;
const base = document.querySelector('meta[name="medianest-base"]')?.content ?? "";
const language = document.documentElement.dataset.locale || "en";

let tries = 0;
let wasOpen = false;
let isLeaving = false;
let retry = 0;
const quarters = new Map(); // download id → last quarter that was announced

function tell(name) {
  document.body.dispatchEvent(new CustomEvent(name));
}

// The same words and numbers as the server's filters `size`, `speed` and `eta`.
function number(value, digits) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

function scaled(bytes) {
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < UNITS.length - 1) { value /= 1000; unit += 1; }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return [number(value, digits), UNITS[unit]];
}

function size(bytes) {
  return scaled(bytes).join(" ");
}

function sizes(done, total) {
  const [a, unitA] = scaled(done);
  const [b, unitB] = scaled(total);
  return say("of", { done: unitA === unitB ? a : `${a} ${unitA}`, total: `${b} ${unitB}` });
}

function eta(seconds) {
  if (seconds < 60) return say("under_minute");
  if (seconds < 3600) return say("minutes", number(Math.round(seconds / 60), 0));
  return say("hours", number(Math.round(seconds / 3600), 0));
}

function put(scope, figure, text) {
  const place = scope.querySelector(`[data-figure="${figure}"]`);
  if (place && text && place.textContent !== text) place.textContent = text;
}

function show(id, data) {
  for (const bar of document.querySelectorAll(`progress[data-progress="${id}"]`)) {
    const scope = bar.closest("li, section");
    if (data.percent != null) {
      bar.value = data.percent;
      put(scope, "percent", `${number(Math.floor(data.percent), 0)} %`);
    }
    if (data.items_total) put(scope, "items", say("items", { done: data.items_done ?? 0, total: data.items_total }));
    if (data.downloaded_bytes) put(scope, "size", data.total_bytes ? sizes(data.downloaded_bytes, data.total_bytes) : size(data.downloaded_bytes));
    if (data.speed_bytes_s) put(scope, "speed", `${size(data.speed_bytes_s)}/s`);
    if (data.eta_s != null) put(scope, "eta", eta(data.eta_s));
    if (data.percent != null && data.parent_id == null) announceQuarter(id, data.percent, bar.getAttribute("aria-label"));
  }
}

// Said at 0, 25, 50, 75 and 100 percent only. What a page finds already running is not news.
function announceQuarter(id, percent, title) {
  const quarter = Math.floor(percent / 25) * 25;
  const last = quarters.get(id);
  quarters.set(id, quarter);
  if (last === undefined ? percent < 5 : quarter > last) announce(say("percent", { title, percent: quarter }));
}

function changed(id, data) {
  const row = document.getElementById(`download-${id}`);
  const isShown = row?.querySelector(`.badge.is-${data.state}`) && ["downloading", "processing"].includes(data.state);
  if (!isShown) tell(`download-${id}`);
  if (data.parent_id != null) tell(`items-${data.parent_id}`);
  else tell("download-changed");
  if (data.state === "completed" || data.state === "failed") {
    const bar = row?.querySelector("progress");
    if (bar && data.state === "completed" && data.parent_id == null) announce(say("percent", { title: bar.getAttribute("aria-label"), percent: 100 }));
    quarters.delete(id);
  }
}

function hear(message) {
  const { event, id, data } = message;
  if (event === "hello") return opened();
  if (event === "download.progress") return show(id, data);
  if (event === "download.state_changed") return changed(id, data);
  if (event === "notification.created") return tell("account-notices");
  if (event === "request.created" || event === "request.status_changed") {
    // a page that shows this one reads it again; lists and boxes for asking read themselves again when something came or went
    tell(`request-${id}`);
    tell("request-changed");
    if (event === "request.created") tell("requests");
  }
  if (event === "system.message") return tell(`system-${data.topic}`);
  if (event === "subscription.changed") return tell(`subscription-${id}`);
  if (event === "subscriptions.changed") return tell("subscriptions");
  if (event === "service.status_changed") return tell(`service-${data.service}`);
  if (event === "queue.changed") { tell("downloads"); tell("download-changed"); return undefined; }
  if (event === "download.created" || event === "download.removed") {
    if (data.parent_id != null) tell(`items-${data.parent_id}`);
    else { tell("downloads"); tell("download-changed"); }
    if (event === "download.removed") document.getElementById(`download-${id}`)?.dispatchEvent(new CustomEvent("medianest:gone", { bubbles: true }));
  }
  return undefined;
}

function opened() {
  document.getElementById("offline").hidden = true;
  if (wasOpen || tries > 0) {
    tell("resync");
    announce(say("online"));
  }
  wasOpen = true;
  tries = 0;
}

async function connect() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${base}/api/v1/live`);
  let wasAccepted = false;
  socket.addEventListener("message", (event) => { wasAccepted = true; hear(JSON.parse(event.data)); });
  socket.addEventListener("close", (event) => {
    if (isLeaving) return;
    if (event.code === SESSION_ENDED) { location.reload(); return; } // shows the sign-in
    again(wasAccepted);
  });
}

function again(wasAccepted) {
  tries += 1;
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), LONGEST_WAIT_MS) * (0.8 + Math.random() * 0.4);
  if (tries > 1) {
    const line = document.getElementById("offline");
    line.textContent = say("offline", tries);
    line.hidden = false;
  }
  clearTimeout(retry);
  retry = setTimeout(async () => {
    // A handshake cannot renew the session's cookies; an ordinary call does.
    if (!wasAccepted) await fetch(`${base}/api/v1/me`, { headers: { Accept: "application/json" } }).catch(() => {});
    connect();
  }, wait);
}

export function start() {
  addEventListener("pagehide", () => { isLeaving = true; clearTimeout(retry); });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    isLeaving = false; // out of the browser's page cache: what is shown may be old
    wasOpen = true;
    connect();
  });
  addEventListener("online", () => { if (tries > 0) { clearTimeout(retry); tries = 1; connect(); } });
  connect();
}
