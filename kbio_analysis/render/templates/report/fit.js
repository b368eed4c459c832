// On paper a table keeps its lines and shrinks until it fits; so does code that has no place to break. A link to another
// page of the site would name this machine's folders.
(width) => {
  document.querySelectorAll('a[href^="../"]').forEach((link) => link.removeAttribute("href"));
  for (const element of document.querySelectorAll("main table, .colophon table, math")) {
    const room = element.closest(".scroll, main, footer").clientWidth || width;
    const excess = element.getBoundingClientRect().width / room;
    if (excess > 1.001) element.style.zoom = 1 / excess;
  }
}
