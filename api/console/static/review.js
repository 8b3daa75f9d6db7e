// The review page: what a key does to a card that has only just come, dialogs of a card, and an answer that was not sent.
"use strict";
(() => {
  const QUIET_MS = 250; // a second press of the key that answered the card before must not answer this one
  const PENDING = "mdm-unsent";
  const card = one("#card");
  let shown = one("#card-form")?.dataset.review;
  let since = -Infinity;

  const settle = () => {
    const now = one("#card-form")?.dataset.review;
    const button = one("[data-differences]", card);
    button?.setAttribute("aria-pressed", String(card.classList.contains("differences")));
    if (now === shown) return;
    shown = now;
    since = performance.now();
    one("#main").scrollTop = 0;
    one("h1", card)?.focus({ preventScroll: true });
  };
  document.addEventListener("htmx:after:swap", settle);

  document.addEventListener("keydown", (event) => {
    const isFresh = performance.now() - since < QUIET_MS;
    if (isFresh && /^[mdrn]$/i.test(event.key) && !event.target.matches("input, textarea")) event.stopImmediatePropagation();
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

  // An answer stays with this tab until the hub has taken it: a session may have ended meanwhile.
  const who = card.dataset.who;
  document.addEventListener("htmx:before:request", (event) => {
    const { request } = event.detail.ctx;
    if (!/\/decide$/.test(request.action) || !request.body) return;
    const fields = [...new URLSearchParams(request.body)].filter(([name]) => name === "verdict" || name.startsWith("choice."));
    sessionStorage.setItem(PENDING, JSON.stringify({ who, review: shown, fields }));
  });
  document.addEventListener("htmx:after:request", (event) => {
    const { request, response } = event.detail.ctx;
    if (/\/decide$/.test(request.action) && response && !response.headers.get("hx-redirect") && response.status !== 403) sessionStorage.removeItem(PENDING);
  });
  const kept = JSON.parse(sessionStorage.getItem(PENDING) ?? "null");
  sessionStorage.removeItem(PENDING);
  if (kept && kept.who === who && kept.review === shown) {
    const values = Object.fromEntries(kept.fields.map(([name, value]) => (name === "verdict" ? ["unsent", value] : [name, value])));
    addEventListener("load", () => htmx.ajax("POST", `/review/${shown}/pick`, { target: "#card", swap: "innerHTML", values }));
  }
})();
