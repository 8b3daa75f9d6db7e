// Keys, dialogs, theme, palette: everything else is HTML from the server. No state of the hub lives here.
"use strict";
const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const root = document.documentElement;

// The session's token goes with every request that htmx sends.
document.addEventListener("htmx:config:request", (event) => {
  const token = one('meta[name="csrf"]');
  if (token) event.detail.ctx.request.headers["X-CSRF-Token"] = token.content;
});

const tell = (message, kind = "bad") => {
  const toast = document.createElement("div");
  toast.className = `toast ${kind}`;
  toast.textContent = message;
  one("#toast").replaceChildren(toast);
};
document.addEventListener("htmx:error", () => tell(document.body.dataset.offline));

// On a narrow screen, the page one is on is in sight.
one(".top nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// Dialogs and the theme.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]:not([role=option])");
  if (opener) open(opener.dataset.open);
  const closer = event.target.closest("[data-close]");
  if (closer) closer.closest("dialog").close();
  if (event.target.closest("#theme")) {
    const isDark = root.dataset.theme === "dark" || (root.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.theme = isDark ? "light" : "dark";
    one("#theme input").value = root.dataset.theme;
  }
  for (const menu of all("details.me[open]")) if (!menu.contains(event.target)) menu.open = false;
});
function open(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  dialog.showModal();
  const first = one("[autofocus]", dialog);
  if (first) { first.focus(); first.select?.(); }
  // The palette asks anew each time: what it found last may be gone.
  if (id === "palette") first.dispatchEvent(new CustomEvent("opened"));
}
// Whoever opens it before htmx has begun asks once that has: it begins a moment after the page is there.
document.addEventListener("htmx:after:init", (event) => {
  if (event.target.matches?.("#palette[open] input")) event.target.dispatchEvent(new CustomEvent("opened"));
});
document.addEventListener("click", (event) => {
  if (event.target instanceof HTMLDialogElement) event.target.close();
});

// A text that is shown once is chosen whole, and copied by a button.
document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-select]")) event.target.select();
});
one("[data-select][autofocus]")?.select();
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy);
  text.select();
  if (navigator.clipboard) await navigator.clipboard.writeText(text.value).catch(() => document.execCommand("copy"));
  else document.execCommand("copy");
  one(".label", button).textContent = button.dataset.copied;
  one("#spoken").textContent = button.dataset.copied;
});

// Something risky asks for the same key, or click, twice.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-twice]");
  if (!button || button.dataset.armed) return;
  event.stopImmediatePropagation();
  event.preventDefault();
  const label = one(".label", button) ?? button;
  const before = label.textContent;
  const sure = button.form?.elements.sure;
  if (sure) sure.value = "yes";
  button.dataset.armed = "yes";
  button.classList.add("armed");
  label.textContent = button.dataset.twice;
  one("#spoken").textContent = button.dataset.twice;
  setTimeout(() => {
    if (!button.isConnected) return;
    delete button.dataset.armed;
    if (sure) sure.value = "";
    button.classList.remove("armed");
    label.textContent = before;
  }, 5000);
}, true);

// Keys: a letter presses the button that names it. Letters can be turned off in one's settings.
const hasLetters = () => document.body.dataset.shortcuts !== "off";
const rows = () => all("[data-row]").filter((row) => row.offsetParent);
const rowInFocus = () => document.activeElement?.closest?.("[data-row]");
function step(by) {
  const list = rows();
  const next = list[Math.max(0, Math.min(list.length - 1, list.indexOf(rowInFocus()) + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && key === "k" && one("#palette")) {
    event.preventDefault();
    return open("palette");
  }
  if (event.target.matches("#palette input")) return choose(event, key);
  const isTyping = event.target.matches("input:not([type=radio], [type=checkbox], [type=range]), textarea, select, [contenteditable]");
  if (!hasLetters() || event.ctrlKey || event.metaKey || event.altKey || isTyping || event.isComposing) return;
  const dialog = one("dialog[open]");
  const scope = dialog ?? document;
  if (key === "?" && !dialog) return open("help");
  if ((key === "j" || key === "k") && !dialog && rows().length) {
    event.preventDefault();
    return step(key === "j" ? 1 : -1);
  }
  if (/^[1-9]$/.test(key)) {
    const place = rowInFocus() ?? dialog;
    const pick = place && one(`[data-pick="${key}"]`, place);
    if (pick) {
      event.preventDefault();
      pick.click();
    }
    return;
  }
  if (key === "e" && rowInFocus()) {
    const edit = one("[data-edit]", rowInFocus());
    if (edit) {
      event.preventDefault();
      return edit.click();
    }
  }
  const button = all(`[data-key="${CSS.escape(key)}"]`, scope).find((each) => each.offsetParent && !each.disabled);
  if (button && !event.repeat) {
    event.preventDefault();
    button.click();
  }
});

// The palette: arrows choose, Enter goes; pressed before the lines of what was typed are there, it goes when they are.
let isEnterWaiting = false;
const lines = () => all('#palette [role="option"]:not([aria-disabled])');
const chosen = () => one('#palette [aria-selected="true"]');
function mark(line) {
  for (const each of lines()) each.setAttribute("aria-selected", each === line);
  line?.scrollIntoView({ block: "nearest" });
  const input = one("#palette input");
  if (line) input.setAttribute("aria-activedescendant", line.id);
  else input.removeAttribute("aria-activedescendant");
}
function choose(event, key) {
  if (key === "enter") {
    event.preventDefault();
    if (event.isComposing) return undefined;
    isEnterWaiting = one("#palette .found")?.dataset.for !== event.target.value;
    return isEnterWaiting ? undefined : chosen()?.click();
  }
  isEnterWaiting = false;
  const options = lines();
  const now = options.indexOf(chosen());
  const places = { arrowdown: now + 1, arrowup: now - 1, pagedown: Math.min(now + 6, options.length - 1), pageup: Math.max(now - 6, 0) };
  if (!(key in places) || !options.length) return undefined;
  event.preventDefault();
  return mark(options[(places[key] + options.length) % options.length]);
}
// Records that this person opened lately in this browser: shown while nothing is typed, forgotten when they sign out.
const RECENT_MAX = 6;
const recentPlace = `mdm-recent-${document.body.dataset.who}`;
const recent = () => {
  try {
    return JSON.parse(localStorage.getItem(recentPlace) ?? "[]").filter(({ url }) => /^\/records\/[\w%-]+$/.test(url));
  } catch {
    return [];
  }
};
const opened = one("[data-opened]")?.dataset;
if (opened && document.body.dataset.who) {
  const now = { url: opened.opened, name: opened.name, kind: opened.kind };
  localStorage.setItem(recentPlace, JSON.stringify([now, ...recent().filter(({ url }) => url !== now.url)].slice(0, RECENT_MAX)));
}
document.addEventListener("submit", (event) => {
  if (event.target.matches("[action='/sign-out']")) localStorage.removeItem(recentPlace);
});
function showRecent(found) {
  const list = recent().filter(({ url }) => url !== location.pathname);
  if (found.dataset.for || !list.length || one(".recent", found)) return;
  const line = (text, kind) => Object.assign(document.createElement("span"), { className: kind, textContent: text });
  const group = Object.assign(document.createElement("div"), { className: "recent" });
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", found.dataset.recent);
  const title = Object.assign(document.createElement("div"), { className: "group", textContent: found.dataset.recent });
  title.setAttribute("aria-hidden", "true");
  group.append(title);
  for (const [place, { url, name, kind }] of list.entries()) {
    const link = Object.assign(document.createElement("a"), { href: url, id: `recent-${place}`, tabIndex: -1 });
    link.setAttribute("role", "option");
    link.setAttribute("aria-selected", "false");
    link.append(line(name, "what"), line(kind, "side"));
    group.append(link);
  }
  found.prepend(group);
  mark(lines()[0]);
}
document.addEventListener("htmx:after:swap", () => {
  const found = one("#palette[open] .found");
  if (!found) return;
  showRecent(found);
  if (!chosen()?.isSameNode(document.getElementById(one("#palette input").getAttribute("aria-activedescendant")))) mark(chosen() ?? lines()[0]);
  if (isEnterWaiting && found.dataset.for === one("#palette input").value) {
    isEnterWaiting = false;
    chosen()?.click();
  }
});
document.addEventListener("click", (event) => {
  const line = event.target.closest('#palette [role="option"]');
  if (!line) return;
  if (line.dataset.open || line.dataset.press) event.preventDefault();
  one("#palette").close();
  if (line.dataset.press) one(line.dataset.press)?.click();
  if (line.dataset.open) open(line.dataset.open);
});

// A message leaves by itself, unless somebody is about to use it.
let fading;
document.addEventListener("htmx:after:swap", () => {
  clearTimeout(fading);
  fading = setTimeout(() => {
    if (!one("#toast:hover, #toast:focus-within")) one("#toast")?.replaceChildren();
  }, 10_000);
});

// The review page: what a key does to a card that has only just come, dialogs of a card, an answer that was not sent.
function review(card) {
  const QUIET_MS = 250; // a second press of the key that answered the card before must not answer this one
  const PENDING = "mdm-unsent";
  let shown = one("#card-form")?.dataset.review;
  let since = -Infinity;

  const settle = () => {
    const now = one("#card-form")?.dataset.review;
    const button = one("[data-differences]", card);
    button?.setAttribute("aria-pressed", String(card.classList.contains("differences")));
    if (now === shown) return;
    shown = now;
    since = performance.now();
    if (!card.inert) lookAhead();
    // Once all parts are in their places: each of the two lays the page out, and so did every part that came after.
    requestAnimationFrame(() => {
      one("#main").scrollTop = 0;
      one("h1", card)?.focus({ preventScroll: true });
    });
  };
  document.addEventListener("htmx:after:swap", settle);

  document.addEventListener("keydown", (event) => {
    const isFresh = performance.now() - since < QUIET_MS;
    const isForCard = card.inert ? /^[a-z1-9]$/i : isFresh && /^[mdrn]$/i;
    const isBare = !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.matches("input, textarea");
    if (isForCard && isBare && isForCard.test(event.key)) event.stopImmediatePropagation();
    if (event.target.matches("dialog textarea") && event.key === "Enter") {
      const isLine = event.target.name === "typed" && event.target.form.elements.how.value === "text";
      if (event.ctrlKey || event.metaKey || (isLine && !event.shiftKey && !event.isComposing)) {
        event.preventDefault();
        event.target.form.requestSubmit();
      }
    }
  }, true);

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-differences]")) {
      card.classList.toggle("differences");
      settle();
    }
    const edit = event.target.closest("[data-edit]");
    if (edit) type(edit.dataset);
  });
  // A dialog closes with what it sends, before the answer puts others in its place.
  const closing = (event) => {
    const sender = event.target.closest("[data-closes]");
    if (sender && (event.type === "submit" || sender.tagName === "BUTTON")) sender.closest("dialog").close();
  };
  document.addEventListener("submit", closing);
  document.addEventListener("click", closing);

  function type({ attribute, title, typed, how }) {
    const form = one("#typing form");
    form.elements.attribute.value = attribute;
    form.elements.how.value = how;
    form.elements.typed.value = typed;
    form.elements.typed.rows = how === "list" ? 5 : 2;
    one("label", form).textContent = title;
    one("[data-for-list]", form).hidden = how !== "list";
    one("[data-for-text]", form).hidden = how === "list";
    open("typing");
  }

  // The next card is fetched while this one is read, and painted with the key that answers this one. Nothing can be done
  // to it until the hub has said that it is still the next one, taken for this steward, and as it was when it was
  // fetched: the name it came with stands for all that it shows. Where the hub says otherwise, its card takes the place;
  // where it says nothing, the card that was answered comes back.
  const AHEAD_MS = 30;
  let held = null;
  let fetching = null;
  let waiting;
  function lookAhead() {
    clearTimeout(waiting);
    fetching?.abort();
    held = null;
    if (shown) waiting = setTimeout(fetchAhead, AHEAD_MS);
  }
  async function fetchAhead() {
    const own = (fetching = new AbortController());
    const asked = new URLSearchParams(one("#card-form").elements.queue.value);
    asked.set("leaving", shown);
    try {
      const answer = await fetch(`/review/ahead?${asked}`, { headers: { "HX-Request": "true" }, signal: own.signal });
      const text = await answer.text();
      const name = answer.headers.get("x-held");
      if (own === fetching && answer.status === 200 && name) held = { name, text };
    } catch {
      // Then the next card comes with the answer, as it would without this.
    }
  }
  document.addEventListener("htmx:config:request", (event) => {
    if (held && event.detail.ctx.target === card) event.detail.ctx.request.headers["X-Held"] = held.name;
  });
  let answered = null;
  function paintEarly() {
    answered = [...card.childNodes];
    card.inert = true;
    card.innerHTML = held.text;
    htmx.process(card);
    card.dispatchEvent(new CustomEvent("early", { bubbles: true }));
    settle();
  }
  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    const isHeld = ctx.response?.headers.get("x-shown") === "held" && held;
    if (isHeld && !card.inert) ctx.text = held.text + ctx.text;
    if (!isHeld && card.inert && ctx.target === card) shown = undefined;
  });
  document.addEventListener("htmx:before:swap", (event) => {
    if (!card.inert || event.detail.ctx.target !== card) return;
    card.inert = false;
    if (!shown) return;
    one("h1", card)?.focus({ preventScroll: true });
    lookAhead();
  });
  document.addEventListener("htmx:finally:request", (event) => {
    if (!card.inert || event.detail.ctx.target !== card) return;
    card.replaceChildren(...answered);
    card.inert = false;
    settle();
  });
  lookAhead();

  // The claim is renewed while somebody is at the card: not on a page that is hidden, or untouched for a quarter of an hour.
  const RENEW_MS = 60_000;
  const AT_IT_MS = 15 * 60_000;
  let touched = Date.now();
  for (const kind of ["pointermove", "pointerdown", "keydown", "wheel"]) addEventListener(kind, () => (touched = Date.now()), { passive: true, capture: true });
  setInterval(() => {
    if (!document.hidden && Date.now() - touched < AT_IT_MS && !one("#claim .notice")) one("#claim")?.dispatchEvent(new CustomEvent("renew"));
  }, RENEW_MS);

  // An answer stays with this tab until the hub has taken it: a session may have ended meanwhile.
  const who = card.dataset.who;
  document.addEventListener("htmx:before:request", (event) => {
    const { request } = event.detail.ctx;
    if (!/\/decide$/.test(request.action) || !request.body) return;
    const fields = [...new URLSearchParams(request.body)].filter(([name]) => name === "verdict" || name.startsWith("choice."));
    sessionStorage.setItem(PENDING, JSON.stringify({ who, review: shown, fields }));
  });
  document.addEventListener("htmx:before:request", (event) => {
    const { target, request } = event.detail.ctx;
    if (held && target === card && /\/(decide|skip)$/.test(request.action)) paintEarly();
  });
  document.addEventListener("htmx:after:request", (event) => {
    const { request, response } = event.detail.ctx;
    if (/\/renew$/.test(request.action) && response?.headers.get("hx-redirect")) {
      const fields = [...new FormData(one("#card-form"))].filter(([name]) => name.startsWith("choice."));
      if (fields.length) sessionStorage.setItem(PENDING, JSON.stringify({ who, review: shown, fields }));
    }
    if (/\/decide$/.test(request.action) && response && !response.headers.get("hx-redirect") && response.status !== 403) sessionStorage.removeItem(PENDING);
  });
  const kept = JSON.parse(sessionStorage.getItem(PENDING) ?? "null");
  sessionStorage.removeItem(PENDING);
  if (kept && kept.who === who && kept.review === shown) {
    const values = Object.fromEntries(kept.fields.map(([name, value]) => (name === "verdict" ? ["unsent", value] : [name, value])));
    addEventListener("load", () => htmx.ajax("POST", `/review/${shown}/pick`, { target: "#card", swap: "innerHTML", values }));
  }
}
if (one("#card")) review(one("#card"));
