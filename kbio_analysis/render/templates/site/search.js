"use strict";
(() => {
  const MOST = 30;
  const BEFORE = 60;
  const AROUND = 220;
  const field = document.getElementById("words");
  const form = document.getElementById("filter");
  const found = document.getElementById("found");
  const list = found.querySelector("ol");
  const said = document.getElementById("passages");
  const fold = (text) => text.normalize("NFC").toLowerCase();
  let known;

  // Read when the first word is typed: most readers never search.
  const passages = () => {
    if (known) return known;
    const texts = JSON.parse(document.getElementById("texts").textContent);
    known = texts.passages.map(([report, anchor, heading, text]) => {
      const [name, page] = texts.reports[report];
      return { name, address: anchor ? `${page}#${anchor}` : page, heading, text, folded: fold(`${heading}\n${text}`) };
    });
    return known;
  };

  const marked = (text, terms) => {
    const lower = fold(text);
    const at = Math.max(0, Math.min(...terms.map((term) => lower.indexOf(term)).filter((i) => i >= 0).concat(text.length)) - BEFORE);
    const from = at && at < text.length ? text.indexOf(" ", at) + 1 : 0;
    const whole = text.length <= from + AROUND;
    const part = whole ? text.slice(from) : text.slice(from, from + AROUND).replace(/\s\S*$/, "");
    const pattern = new RegExp(`(${terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`, "giu");
    const pieces = part.split(pattern).map((piece, i) => {
      if (i % 2 === 0) return piece;
      const mark = document.createElement("mark");
      mark.textContent = piece;
      return mark;
    });
    return [from ? "\u2026 " : "", ...pieces, whole ? "" : " \u2026"];
  };

  const entry = (passage, terms) => {
    const [item, link, text] = ["li", "a", "p"].map((name) => document.createElement(name));
    link.href = passage.address;
    link.textContent = passage.heading || passage.name;
    const where = document.createElement("span");
    where.className = "key";
    where.textContent = ` ${passage.name}`;
    text.append(...marked(passage.text, terms));
    item.append(link, where, text);
    return item;
  };

  const search = () => {
    const terms = fold(field.value).split(/\s+/).filter(Boolean);
    const enough = terms.join("").length > 1;
    const hits = enough ? passages().filter((passage) => terms.every((term) => passage.folded.includes(term))) : [];
    if (hits.length) document.getElementById("nothing").hidden = true;
    found.hidden = hits.length === 0;
    list.replaceChildren(...hits.slice(0, MOST).map((passage) => entry(passage, terms)));
    const more = hits.length > MOST ? `, the first ${MOST} shown` : "";
    said.textContent = enough ? `${hits.length} passage${hits.length === 1 ? "" : "s"} of text${more}` : "";
  };

  form.addEventListener("input", search);
  form.addEventListener("reset", () => setTimeout(search));
  search();
})();
