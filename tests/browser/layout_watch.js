// What is wrong with the places of things on a page: what sticks out of the window, and texts that lie on each other.
() => {
  const window_ = document.documentElement.clientWidth;
  const scrolls = (element, way) => /auto|scroll|hidden|clip/.test(getComputedStyle(element)[way]);
  const isHidden = (element) => !element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || element.closest(".vh, .skip, dialog:not([open]), svg, [hidden]");
  const name = (element) => `${element.tagName.toLowerCase()}.${element.className || element.id}`;
  // The part of a text that can be seen: what an element around it cuts off, or scrolls away, is not there.
  const seen = (box, element) => {
    let { left, right, top, bottom } = box;
    for (let around = element; around && around !== document.documentElement; around = around.parentElement) {
      const edge = around.getBoundingClientRect();
      if (scrolls(around, "overflowX")) [left, right] = [Math.max(left, edge.left), Math.min(right, edge.right)];
      if (scrolls(around, "overflowY")) [top, bottom] = [Math.max(top, edge.top), Math.min(bottom, edge.bottom)];
    }
    return right - left > 1 && bottom - top > 1 ? { left, right, top, bottom } : null;
  };
  const floats = (element) => {
    for (let around = element; around; around = around.parentElement) if (/fixed|sticky/.test(getComputedStyle(around).position)) return true;
    return false;
  };
  const faults = [];
  const page = document.scrollingElement;
  if (page.scrollWidth > window_ + 1) faults.push(`the page is ${page.scrollWidth} wide in ${window_}`);
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element || isHidden(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const isFloating = floats(element);
    for (const box of range.getClientRects()) {
      const place = seen(box, element);
      if (!place) continue;
      const said = `${name(element)} ${JSON.stringify(node.data.trim().slice(0, 30))}`;
      if (place.left < -1 || place.right > window_ + 1) faults.push(`${said} sticks out: ${Math.round(place.left)} to ${Math.round(place.right)} of ${window_}`);
      if (!isFloating) texts.push({ ...place, element, said });
    }
  }
  const FITS = 3; // letters of neighbouring lines may touch
  texts.sort((one, other) => one.top - other.top);
  texts.forEach((one, place) => {
    for (const other of texts.slice(place + 1)) {
      if (other.top > one.bottom - FITS) break;
      const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (one.element !== other.element && across > FITS && down > FITS) faults.push(`${one.said} lies on ${other.said}`);
    }
  });
  return [...new Set(faults)];
}
