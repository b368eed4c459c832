"use strict";
(() => {
  const form = document.getElementById("choice");
  const shown = document.getElementById("shown");
  const said = document.getElementById("said");
  const names = [...new Set([...form.elements].map((field) => field.name).filter(Boolean))];
  const field = (name) => form.elements.namedItem(name);
  const key = (values) => JSON.stringify(values);
  const sets = new Map();
  for (const set of document.querySelectorAll("template[data-key]")) sets.set(key(JSON.parse(set.dataset.key)), set);

  const show = () => {
    const set = sets.get(key(names.map((name) => field(name).value))) || document.getElementById("missing");
    shown.replaceChildren(set.content.cloneNode(true));
    return shown.querySelector(".lead").textContent;
  };

  // The address keeps the choice, so that it can be sent on; a value that there is none of is passed over.
  const fromAddress = () => {
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
      if (!names.includes(name)) continue;
      const before = field(name).value;
      field(name).value = value;
      if (field(name).value !== value) field(name).value = before;
    }
  };

  form.addEventListener("input", () => {
    said.textContent = show();
    history.replaceState(null, "", `#${new URLSearchParams(names.map((name) => [name, field(name).value]))}`);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", () => { fromAddress(); show(); });
  form.hidden = false;
  fromAddress();
  show();
})();
