"use strict";
(() => {
  const collator = new Intl.Collator("en", { numeric: true });
  const value = (row, i) => {
    const cell = row.cells[i];
    return cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value);
  };
  // Numbers before words, and what is empty last whichever way the rest is turned.
  const compare = (a, b) =>
    typeof a === typeof b ? (typeof a === "number" ? a - b : collator.compare(a, b)) : typeof a === "number" ? -1 : 1;

  const sort = (table, header, i) => {
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => ({ row, key: value(row, i) }));
    const empty = keyed.filter((item) => item.key === "");
    const rest = keyed.filter((item) => item.key !== "").sort((a, b) => compare(a.key, b.key) * (down ? -1 : 1));
    body.append(...[...rest, ...empty].map((item) => item.row));
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((header, i) => {
      if (header.hasAttribute("data-fixed")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      button.addEventListener("click", () => sort(table, header, i));
      header.append(button);
    });
  }
})();
