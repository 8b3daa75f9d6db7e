// One tick for all answers that wait; everything else of the queue is HTML from the server.
"use strict";
document.addEventListener("change", (event) => {
  const name = event.target.dataset.all;
  if (!name) return;
  event.stopPropagation();
  for (const box of document.querySelectorAll(`input[type="checkbox"][name="${CSS.escape(name)}"]`)) box.checked = event.target.checked;
});
