// What HTML alone cannot do on the page of a record: copy a key, say where the slider stands, drag a card to a part.
"use strict";
document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard?.writeText(copy.dataset.copy);
    copy.classList.add("copied");
    document.getElementById("spoken").textContent = copy.dataset.copy;
    setTimeout(() => copy.classList.remove("copied"), 1500);
  }
  const focus = event.target.closest("[data-focus]");
  if (focus) document.getElementById(focus.dataset.focus)?.focus();
});

// The slider says at once which stop it is at; the page follows.
document.addEventListener("input", (event) => {
  if (event.target.id !== "as-of") return;
  const stop = document.querySelector(`#as-of-stops option[value="${event.target.value}"]`);
  event.target.setAttribute("aria-valuetext", stop?.label ?? "");
  document.getElementById("as-of-words").textContent = stop?.label ?? "";
});

// Cards stand in the lane of the part that is chosen for them; whoever drags one chooses by that.
const settle = (card) => {
  const chosen = card.querySelector("input[type=radio]:checked");
  const lane = chosen && document.querySelector(`[data-lane="${chosen.value}"]`);
  if (!lane || card.parentElement === lane) return;
  const focused = document.activeElement;
  lane.append(card);
  if (card.contains(focused)) focused.focus();
};
document.addEventListener("change", (event) => {
  const card = event.target.closest(".lane-card");
  if (card) settle(card);
});
let dragged;
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(".lane-card");
  if (dragged) event.dataTransfer.setData("text/plain", "");
});
document.addEventListener("dragover", (event) => {
  const lane = event.target.closest?.("[data-lane]");
  document.querySelectorAll(".lane.over").forEach((each) => each !== lane && each.classList.remove("over"));
  if (!lane || !dragged) return;
  event.preventDefault();
  lane.classList.add("over");
});
document.addEventListener("drop", (event) => {
  const lane = event.target.closest?.("[data-lane]");
  if (!lane || !dragged) return;
  event.preventDefault();
  lane.classList.remove("over");
  const radio = dragged.querySelector(`input[type=radio][value="${lane.dataset.lane}"]`);
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
});
