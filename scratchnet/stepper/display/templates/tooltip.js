// Exact numbers, on hover and on focus.

const tip = byId("tip");

function showTip(target, text) {
  tip.textContent = text;
  tip.hidden = false;
  const [at, size] = [target.getBoundingClientRect(), tip.getBoundingClientRect()];
  const above = at.top - size.height - 6;
  tip.style.left = `${Math.max(4, Math.min(at.left, innerWidth - size.width - 4))}px`;
  tip.style.top = `${above > 0 ? above : at.bottom + 6}px`;
}

function hideTip() {
  tip.hidden = true;
}

document.addEventListener("mouseover", (event) => {
  const target = event.target.closest?.("[data-tip]");
  if (target) showTip(target, target.dataset.tip);
  else hideTip();
});
document.addEventListener("focusin", (event) => {
  const target = event.target.closest("[data-tip]");
  if (target) showTip(target, target.dataset.tip);
  else hideTip();
});
document.addEventListener("scroll", hideTip, true);
