"""The pages a person sees at Plex: the sign-in app, which reads everything out of its fragment, and /link."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tests.plex.traffic import Answer, Call, html_answer, redirect

if TYPE_CHECKING:
    from tests.plex.world import PlexWorld

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>body{{font:16px sans-serif;max-width:30rem;margin:2rem auto;padding:0 1rem}}
button{{font:inherit;padding:.6rem 1.4rem;margin:.4rem .4rem 0 0}}label{{display:block;padding:.3rem 0}}</style>
</head><body><main><h1>{title}</h1>{body}</main></body></html>"""

# app: everything comes in the fragment, which no server sees
SCRIPT = """<script>
const given = new URLSearchParams(location.hash.replace(/^#!?\\??/, ""));
for (const name of ["clientID", "code", "forwardUrl"]) document.getElementById(name).value = given.get(name) || "";
const product = given.get("context[device][product]");
document.getElementById("product").textContent = product || "An application";
if (!given.get("clientID") || !given.get("code")) {
  document.getElementById("question").hidden = true;
  document.getElementById("broken").hidden = false;
}
</script>"""


def answer(world: PlexWorld, call: Call) -> Answer | None:
    """A page of the app, None for the API's paths."""
    match call.method, call.path:
        case "GET", "/":
            return _index(world)
        case "GET", "/auth":
            return _auth(world)
        case "POST", "/auth":
            return _answered(world, call)
        case "GET", "/link":
            return _link(world, call.query.get("pin", ""))
        case "POST", "/link":
            return _linked(world, call)
    return None


def _page(title: str, body: str, status: int = 200) -> Answer:
    return html_answer(PAGE.format(title=escape(title), body=body), status)


def _choices(world: PlexWorld) -> str:
    """One radio button for each account that can sign in: managed profiles can not."""
    return "".join(
        f'<label><input type="radio" name="account" value="{account.key}" {"checked" if account.is_owner else ""}> '
        f"{escape(account.username)} ({escape(account.key.replace('_', ' '))})</label>"
        for account in world.accounts.values()
        if not account.is_managed
    )


def _auth(world: PlexWorld) -> Answer:
    """app: the sign-in page."""
    hidden = "".join(f'<input type="hidden" name="{name}" id="{name}">' for name in ("clientID", "code", "forwardUrl"))
    form = (
        '<p id="broken" hidden>This link is incomplete.</p><form method="post" action="/auth" id="question">'
        f'<p><b id="product"></b> wants to sign in with your Plex account.</p>{hidden}'
        f"<fieldset><legend>Account</legend>{_choices(world)}</fieldset>"
        '<button name="answer" value="allow">Allow</button><button name="answer" value="deny">Deny</button></form>'
    )
    return _page("Sign in to Plex", form + SCRIPT)


def _answered(world: PlexWorld, call: Call) -> Answer:
    """app: goes back to where it was sent from, allowed or not, with nothing appended."""
    form = call.form
    account = world.accounts.get(form.get("account", ""))
    try:
        pin = world.pin_of(form.get("code", ""))
    except KeyError:
        return _page("This request has expired", "<p>Start again in the application.</p>", 404)
    # app: takes only strong codes, under the client identifier they were made with
    if not pin.is_strong or pin.client != form.get("clientID"):
        return _page("This request is not valid", "<p>Start again in the application.</p>", 400)
    if form.get("answer") == "allow":
        if account is None or account.is_managed:
            return _page("This account can not sign in", "<p>Choose another.</p>", 403)
        world.allow(pin.code, account)
    else:
        world.deny(pin.code)
    if form.get("forwardUrl"):
        return redirect(form["forwardUrl"])
    return _page("You are signed in", "<p>You may close this window.</p>")


def _link(world: PlexWorld, code: str, words: str = "", status: int = 200) -> Answer:
    """plex.tv: /link, for the four characters a television shows."""
    notice = f'<p role="alert">{escape(words)}</p>' if words else ""
    form = (
        f'{notice}<form method="post" action="/link"><label>Code <input name="code" maxlength="4" autocomplete="off" '
        f'required value="{escape(code, quote=True)}"></label><fieldset><legend>Account</legend>{_choices(world)}</fieldset>'
        "<button>Link</button></form>"
    )
    return _page("Link your device", form, status)


def _linked(world: PlexWorld, call: Call) -> Answer:
    code = call.form.get("code", "").strip()
    account = world.accounts.get(call.form.get("account", ""))
    try:
        pin = world.pin_of(code)
    except KeyError:
        return _link(world, code, "That code is not valid. Look again.", 404)
    if pin.is_strong or account is None or account.is_managed:
        return _link(world, code, "That code is not valid. Look again.", 400)
    world.allow(pin.code, account)
    return _page("Account linked", "<p>Your device is ready. You may close this window.</p>")


def _index(world: PlexWorld) -> Answer:
    """For the person who runs the stand-in by hand."""
    rows = "".join(f"<li>{escape(one.title)} – {escape(key)}, {one.id}</li>" for key, one in world.accounts.items())
    settings = "".join(f"<li><code>{name}={escape(value)}</code></li>" for name, value in world.settings().items())
    return _page(
        "A stand-in for Plex", f'<ul>{rows}</ul><p>Start with:</p><ul>{settings}</ul><p><a href="/link">Link</a></p>'
    )
