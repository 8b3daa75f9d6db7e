// Looks at a page for what no template of the console writes, and gathers every text that somebody reads or hears.
() => {
  const faults = [];
  const elements = new Set(`html head meta title link script body header main nav aside section div p span a b i q s u em
    strong small code kbd mark bdi br hr h1 h2 h3 h4 ul ol li dl dt dd table caption thead tbody tfoot tr th td colgroup col
    form fieldset legend label input textarea select option optgroup datalist button output progress details summary noscript
    dialog figure figcaption time svg g path circle rect line polyline polygon text tspan desc defs hx-partial`.split(/\s+/));
  const addresses = ["href", "src", "action", "formaction", "xlink:href", "data", "poster", "srcset", "background", "cite"];
  // The sheet of results is a file inside the page; it is saved, never opened.
  const sheet = /^data:application\/vnd\.openxmlformats-officedocument\.spreadsheetml\.sheet;base64,[A-Za-z0-9+/=]+$/;
  const isOwn = (address) => /^(?:[/?#](?!\/)|$)/.test(address) || address.startsWith(location.origin + "/") || sheet.test(address);
  if (window.pwned !== undefined && !(window.pwned instanceof Element)) faults.push("a script ran");
  for (const element of document.querySelectorAll("*")) {
    const name = element.localName;
    if (!elements.has(name)) faults.push(`element <${name}>`);
    if (name === "script" && !/^\/static\/\w+\/[\w.-]+\.js$/.test(element.getAttribute("src") ?? "")) faults.push("a script of its own");
    if (name === "meta" && element.httpEquiv) faults.push("a meta that acts");
    for (const { name: attribute, value } of element.attributes) {
      if (/^on|^style$|^srcdoc$|^ping$|^hx-on|^(?:data-)?(?:sse|ws)-/.test(attribute)) faults.push(`attribute ${attribute} of <${name}>`);
      if (/["'<>=`]|pwned/.test(attribute)) faults.push(`attribute ${attribute} of <${name}>`);
      if (addresses.includes(attribute) && !isOwn(value)) faults.push(`address ${value.slice(0, 60)} of <${name}>`);
      if (/^(?:data-)?hx-/.test(attribute) && /^[^?]*pwned|^js:|^javascript:/.test(value)) faults.push(`${attribute} of <${name}>: ${value.slice(0, 60)}`);
      if ((attribute === "id" || attribute === "data-open") && /pwned|htmx/.test(value)) faults.push(`${attribute} ${value}`);
    }
  }
  if (document.querySelectorAll("#main").length > 1 || document.querySelectorAll("[name=htmx]").length) faults.push("a clobbered name");
  // What a field of a form holds is the value itself, to be changed; all else is told.
  const texts = [document.title];
  const walk = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) if (!walk.currentNode.parentElement.matches("textarea, script, style, noscript")) texts.push(walk.currentNode.data);
  for (const element of document.querySelectorAll("*")) {
    for (const told of ["title", "aria-label", "aria-description", "aria-valuetext", "alt", "placeholder", "label"]) {
      if (element.hasAttribute(told)) texts.push(element.getAttribute(told));
    }
  }
  return { faults, texts, whole: document.documentElement.textContent };
};
