"use strict";
(() => {
  const form = document.getElementById("filter");
  const field = (id) => document.getElementById(id);
  const [words, notebook, status, parameter, value] = ["words", "notebook", "status", "parameter", "value"].map(field);
  const count = field("count");
  const nothing = field("nothing");
  const scenarios = document.querySelector(".group:has(.links)");
  const shown = (setting) => (typeof setting === "string" ? setting : JSON.stringify(setting));

  // Everything a filter asks for is read once; afterwards nothing is read from the page, only written to it.
  const groups = [...document.querySelectorAll(".group:has(.entry)")].map((section) => {
    const title = section.querySelector("h2").textContent;
    const entries = [...section.querySelectorAll(".entry")].map((element) => ({
      element,
      visible: true,
      status: element.dataset.status,
      notebook: element.dataset.notebook,
      changed: JSON.parse(element.dataset.set),
      text: `${title} ${element.dataset.notebook} ${element.textContent}`.toLowerCase().replace(/\s+/g, " "),
    }));
    const details = section.querySelector("details");
    return { section, entries, details, open: details?.open, visible: true };
  });
  const all = groups.flatMap((group) => group.entries);

  const show = (item, element, visible) => {
    if (item.visible !== visible) {
      item.visible = visible;
      element.hidden = !visible;
    }
  };

  const apply = () => {
    const terms = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const name = parameter ? parameter.value : "";
    const wanted = value && !value.disabled ? value.value : "";
    const matches = (entry) =>
      (!notebook?.value || entry.notebook === notebook.value) &&
      (!status?.value || entry.status === status.value) &&
      (!name || (name in entry.changed && (!wanted || shown(entry.changed[name]) === wanted))) &&
      terms.every((term) => entry.text.includes(term));
    let total = 0;
    for (const group of groups) {
      let here = 0;
      for (const entry of group.entries) {
        const visible = matches(entry);
        here += visible;
        show(entry, entry.element, visible);
      }
      show(group, group.section, here > 0);
      total += here;
    }
    count.textContent = total === all.length ? `${total} report${total === 1 ? "" : "s"}` : `${total} of ${all.length} reports`;
    // What is folded away opens while something is looked for.
    for (const { details, open } of groups) if (details) details.open = open || total < all.length;
    if (scenarios) scenarios.hidden = total < all.length;
    nothing.hidden = total > 0 || all.length === 0;
  };

  const offerValues = () => {
    if (!parameter) return;
    const values = new Set();
    for (const entry of all) if (parameter.value in entry.changed) values.add(shown(entry.changed[parameter.value]));
    const sorted = [...values].sort(new Intl.Collator("en", { numeric: true }).compare);
    value.replaceChildren(new Option("Any", ""), ...sorted.map((text) => new Option(text, text)));
    value.disabled = !parameter.value;
  };

  form.addEventListener("input", (event) => {
    if (event.target === parameter) offerValues();
    apply();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { offerValues(); apply(); }));
  form.hidden = all.length === 0;
  offerValues();
  apply();
})();
