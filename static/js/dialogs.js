// Questions before something is lost, and the sheet of further places on phones. Native <dialog>: Esc closes, focus goes back to the opener.

/** Ask `text`; resolves to whether the answer was yes. */
export function ask(text, yes) {
  const dialog = document.getElementById("confirm");
  document.getElementById("confirm-text").textContent = text;
  if (yes) document.getElementById("confirm-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

function closeByOutsideClick(dialog) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close("no");
  });
}

/** Show the part `#sheet` of the page a link leads to from below; whatever goes wrong, the link is simply followed. */
async function openSheet(link) {
  const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
  const content = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("sheet");
  if (!content) throw new Error("no sheet");
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", link.textContent);
  const inside = document.createElement("div");
  inside.className = "inside";
  content.removeAttribute("id");
  inside.append(content);
  dialog.append(inside);
  document.body.append(dialog);
  closeByOutsideClick(dialog);
  dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
  dialog.showModal();
}

export function start() {
  closeByOutsideClick(document.getElementById("confirm"));

  // htmx asks before it sends what carries hx-confirm
  document.addEventListener("htmx:confirm", (event) => {
    const { ctx, issueRequest, dropRequest } = event.detail;
    if (!ctx?.confirm) return;
    event.preventDefault();
    ask(ctx.confirm, ctx.sourceElement.dataset.yes).then((isYes) => (isYes ? issueRequest() : dropRequest()));
  });

  // plain forms and buttons ask by data-confirm
  let isAnswered = false;
  document.addEventListener("submit", (event) => {
    const text = event.submitter?.dataset.confirm;
    if (!text || isAnswered) return;
    event.preventDefault();
    ask(text, event.submitter.dataset.yes).then((isYes) => {
      if (!isYes) return;
      isAnswered = true;
      event.target.requestSubmit(event.submitter);
      isAnswered = false;
    });
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-sheet]");
    if (link && !link.hasAttribute("aria-current") && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      openSheet(link).catch(() => { location.href = link.href; });
      return;
    }
    const dismiss = event.target.closest("[data-dismiss]");
    if (dismiss) {
      document.querySelector(dismiss.dataset.dismiss)?.remove();
      document.querySelector("main h1")?.focus();
    }
  });
}
