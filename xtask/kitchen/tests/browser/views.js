// What is wrong with the looks of a page: text that cannot be seen whole, or hardly be read. An expression: a list.
(() => {
  const found = [];
  /** The width of the arrow of a select. */
  const ARROW = 16;
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

  /** A colour as red, green, blue and what covers, from 0 to 1. */
  function colour(text) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((value) => value / 255);
  }

  const over = (top, below, cover) => below.map((value, at) => top[at] * cover + value * (1 - cover));

  /** What is behind an element: all backgrounds from the page's on. */
  function ground(element) {
    const chain = [];
    for (let one = element; one; one = one.parentElement) chain.unshift(getComputedStyle(one).backgroundColor);
    return chain.map(colour).reduce((below, top) => over(top, below, top[3]), [1, 1, 1]);
  }

  function opacity(element) {
    let all = 1;
    for (let one = element; one; one = one.parentElement) all *= Number(getComputedStyle(one).opacity);
    return all;
  }

  /** WCAG 2: relative luminance, and the ratio of two. */
  function luminance(rgb) {
    const [red, green, blue] = rgb.map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function contrast(element, text) {
    const below = ground(element);
    const top = colour(text);
    const [a, b] = [luminance(over(top, below, top[3] * opacity(element))), luminance(below)].sort((one, two) => two - one);
    return (a + 0.05) / (b + 0.05);
  }

  function legible(element, text, what) {
    const ratio = contrast(element, text);
    if (ratio < 4.5) found.push(`contrast ${ratio.toFixed(2)}: ${what}`);
  }

  const isFixed = (overflow) => overflow === "hidden" || overflow === "clip";

  /** Whether a place is outside of a box that does not let one scroll there. */
  function isCut(rect, element) {
    for (let box = element; box; box = box.parentElement) {
      const { overflowX, overflowY, textOverflow } = getComputedStyle(box);
      const edge = box.getBoundingClientRect();
      const [x, y] = [rect.left < edge.left - 1 || rect.right > edge.right + 1, rect.top < edge.top - 1 || rect.bottom > edge.bottom + 1];
      if (["auto", "scroll"].includes(overflowX)) return false;
      // What has a tip with all of it may end in an ellipsis.
      if (x && isFixed(overflowX)) return !(textOverflow === "ellipsis" && box.title.includes(box.textContent.trim().split(" ")[0]));
      if (y && isFixed(overflowY)) return true;
    }
    return rect.left < -1 || rect.right > document.documentElement.clientWidth + 1;
  }

  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) found.push(`the page is ${scrollWidth} wide in ${clientWidth}`);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    const element = text.parentElement;
    const what = `${element.localName}.${element.getAttribute("class") ?? ""} ${text.data.trim().slice(0, 60)}`;
    if (!text.data.trim() || !element.checkVisibility() || element.closest(".unseen, option, script, title, noscript")) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const style = getComputedStyle(element);
    legible(element, element instanceof SVGElement ? style.fill : style.color, what);
    if ([...range.getClientRects()].some((rect) => rect.width > 0 && isCut(rect, element))) found.push(`cut off: ${what}`);
  }
  for (const field of document.querySelectorAll("input:not([type=checkbox], [type=hidden]), select")) {
    if (!field.checkVisibility()) continue;
    legible(field, getComputedStyle(field).color, field.name);
    if (field.placeholder && !field.value) legible(field, getComputedStyle(field, "::placeholder").color, `placeholder of ${field.name}`);
    if (isCut(field.getBoundingClientRect(), field)) found.push(`cut off: ${field.name}`);
    // Fields scroll by themselves, but not what they say when they are empty, nor what is chosen.
    const { font, paddingLeft, paddingRight } = getComputedStyle(field);
    canvas.font = font;
    const text = field.localName === "select" ? field.selectedOptions[0].text : field.placeholder;
    const room = field.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) - (field.localName === "select" ? ARROW : 0);
    if (canvas.measureText(text).width > room + 1) found.push(`too narrow: ${field.name} for ${text}`);
  }
  return [...new Set(found)];
})();
