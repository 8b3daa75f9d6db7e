// Moving a line on the page Rules: the sliders are the controls, the lines in the drawing are handles of theirs.
"use strict";
{
  const slider = (name) => document.getElementById(`${name}-line`);
  const percent = (bits) => {
    const share = 1 / (1 + 2 ** -bits);
    const rest = Math.min(share, 1 - share);
    const digits = rest >= 0.02 ? 0 : rest >= 0.002 ? 1 : 2;
    const said = (value) =>
      new Intl.NumberFormat(document.documentElement.lang, { style: "percent", maximumFractionDigits: digits }).format(value);
    return share > 0.9999 ? `> ${said(0.9999)}` : share < 0.0001 ? `< ${said(0.0001)}` : said(share);
  };
  const say = (input) => {
    const words = percent(Number(input.value));
    input.setAttribute("aria-valuetext", words);
    document.getElementById(`${input.name}-said`).textContent = words;
  };
  // The review line never lies above the match line: whoever moves one takes the other along.
  const settle = (moved) => {
    const review = slider("review");
    const match = slider("match");
    if (Number(review.value) > Number(match.value)) {
      (moved === review ? match : review).value = moved.value;
    }
    say(review);
    say(match);
  };
  document.addEventListener(
    "input",
    (event) => {
      if (event.target.matches("#review-line, #match-line")) settle(event.target);
    },
    true,
  );
  const moveTo = (input, bits) => {
    if (Number(input.value) === bits) return;
    input.value = bits;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  let dragged;
  document.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest?.(".line-handle");
    if (!handle) return;
    dragged = handle.dataset.line;
    slider(dragged).focus({ preventScroll: true });
    event.preventDefault();
  });
  document.addEventListener("pointermove", (event) => {
    const drawing = dragged && document.querySelector(".scores");
    if (!drawing) return;
    const box = drawing.getBoundingClientRect();
    const { min, max, step } = drawing.dataset;
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const bits = Math.round((Number(min) + share * (max - min)) / step) * step;
    moveTo(slider(dragged), bits);
  });
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, () => (dragged = undefined));
  document.addEventListener("click", (event) => {
    if (event.target.id !== "lines-back") return;
    for (const name of ["match", "review"]) slider(name).value = slider(name).dataset.holds;
    slider("match").dispatchEvent(new Event("input", { bubbles: true }));
  });
}
