// What a screen reader and weak eyes need of a page; gives a list of what is amiss. Evaluated in the page.
() => {
  const found = [];
  const visible = (one) => one.checkVisibility();
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => {
    const linear = (band) => band <= 0.04045 ? band / 12.92 : ((band + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = numbers(colour).map((band) => linear(band / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (numbers(colour).length < 4) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let checked = 0;
  while (texts.nextNode()) {
    const one = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !visible(one) || one.closest(".unseen, .skip, [aria-hidden=true]")) continue;
    const style = getComputedStyle(one), sizes = parseFloat(style.fontSize);
    const [a, b] = [light(style.color), light(behind(one))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05), wanted = sizes >= 24 || (sizes >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    if (ratio < wanted) found.push(`contrast ${ratio.toFixed(2)}: ${texts.currentNode.data.trim().slice(0, 40)}`);
    checked += 1;
  }
  if (checked < 8) found.push(`only ${checked} texts`);
  for (const one of document.querySelectorAll("a[href], button, input, textarea, summary, [tabindex='0']")) {
    if (!visible(one) || one.type === "hidden") continue;
    const name = one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.[0]?.textContent.trim();
    if (!name) found.push(`no name: ${one.outerHTML.slice(0, 80)}`);
    const box = one.getBoundingClientRect();
    if (!one.closest(".unseen, .skip") && one.matches("button, .cite") && (box.height < 24 || box.width < 24)) {
      found.push(`small: ${one.outerHTML.slice(0, 80)}`);
    }
  }
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`twice: ${id}`);
  for (const name of ["aria-labelledby", "for"]) {
    for (const one of document.querySelectorAll(`[${name}]`)) {
      if (visible(one) && !document.getElementById(one.getAttribute(name))) found.push(`${name} leads nowhere`);
    }
  }
  let level = 0;
  for (const one of document.querySelectorAll("main h1, main h2, main h3, main h4")) {
    if (!visible(one)) continue;
    const own = Number(one.tagName[1]);
    if (own > level + 1) found.push(`heading ${own} after ${level}: ${one.textContent}`);
    level = own;
  }
  if ([...document.querySelectorAll("h1")].filter(visible).length !== 1) found.push("not one h1");
  for (const one of ["main", "header", "nav[aria-label]", "html[lang]", "title"]) {
    if (!document.querySelector(one)) found.push(`no ${one}`);
  }
  return found;
}
