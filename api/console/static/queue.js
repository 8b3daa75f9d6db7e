// One tick for all answers that wait, and an address without what is any; the rest of the queue is HTML.
"use strict";
document.addEventListener("change", (event) => {
  const name = event.target.dataset.all;
  if (!name) return;
  for (const box of document.querySelectorAll(`input[type="checkbox"][name="${CSS.escape(name)}"]`)) box.checked = event.target.checked;
});
// What became of a sheet stands above the list, however far down somebody was.
document.addEventListener("htmx:after:swap", () => {
  const told = document.querySelector("#sheet > section:not([data-seen])");
  if (!told) return;
  told.dataset.seen = "yes";
  told.focus({ preventScroll: true });
  told.scrollIntoView({ block: "start" });
});
document.addEventListener("htmx:config:request", (event) => {
  const { sourceElement, request } = event.detail.ctx;
  if (sourceElement?.id !== "filter") return;
  for (const [name, value] of [...request.body]) if (!value || (name === "by" && value === "useful")) request.body.delete(name);
});
