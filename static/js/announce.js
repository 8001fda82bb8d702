// What is said to people: the words of the catalogue, the two live regions, short notes in the corner.

const words = JSON.parse(document.querySelector('meta[name="medianest-words"]')?.content ?? "{}");

/** A sentence of the catalogue; {} and {name} are filled from `values`. */
export function say(name, values = {}) {
  return (words[name] ?? name).replace(/\{(\w*)\}/g, (_all, key) => (typeof values === "object" ? values[key] : values) ?? "");
}

let queue = [];
let timer = 0;

/** Tell screen readers politely. What comes within half a second is said in one go, so that nothing is cut off. */
export function announce(text) {
  if (!queue.includes(text)) queue.push(text);
  clearTimeout(timer);
  timer = setTimeout(() => {
    document.getElementById("status").textContent = queue.slice(-4).join(" ");
    queue = [];
  }, 500);
}

/** Tell at once: something failed. */
export function alarm(text) {
  const region = document.getElementById("alert");
  region.textContent = "";
  requestAnimationFrame(() => { region.textContent = text; });
}

/** A note in the corner for six seconds, longer while the mouse or the focus is on it; errors stay. At most three. */
export function toast(text, { isError = false } = {}) {
  const box = document.getElementById("toasts");
  const note = document.createElement("div");
  note.className = "toast";
  note.append(Object.assign(document.createElement("span"), { textContent: text }));
  const close = Object.assign(document.createElement("button"), { className: "tool i-cross" });
  close.setAttribute("aria-label", say("close"));
  close.addEventListener("click", () => note.remove());
  note.append(close);
  while (box.children.length > 2) box.firstElementChild.remove();
  box.append(note);
  (isError ? alarm : announce)(text);
  if (isError) return;
  let left = setTimeout(() => note.remove(), 6000);
  const wait = () => clearTimeout(left);
  const go = () => { wait(); left = setTimeout(() => note.remove(), 3000); };
  note.addEventListener("mouseenter", wait);
  note.addEventListener("focusin", wait);
  note.addEventListener("mouseleave", go);
  note.addEventListener("focusout", go);
}
