// Sorting and filtering of tables; the page reads without it.
(() => {
  const value = (row, at) => {
    const cell = row.cells[at];
    const number = cell.dataset.v;
    return number === undefined ? cell.textContent.trim().toLocaleLowerCase() : Number(number);
  };
  for (const table of document.querySelectorAll("table[data-sort]")) {
    const body = table.tBodies[0];
    table.querySelectorAll("thead th").forEach((head, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") === "descending" || (!head.hasAttribute("aria-sort") && !head.classList.contains("n"));
        table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...body.rows].sort((a, b) => {
          const x = value(a, at), y = value(b, at);
          const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
          return up ? order : -order;
        });
        body.append(...rows);
      });
    });
  }
  for (const box of document.querySelectorAll(".filter[hidden]")) {
    const input = box.querySelector("input"), status = box.querySelector("output");
    const rows = [...document.getElementById(input.dataset.table).tBodies[0].rows];
    box.hidden = false;
    input.addEventListener("input", () => {
      const word = input.value.trim().toLocaleLowerCase();
      let shown = 0;
      for (const row of rows) {
        row.hidden = !row.textContent.toLocaleLowerCase().includes(word);
        shown += row.hidden ? 0 : 1;
      }
      status.textContent = word ? `${shown} of ${rows.length} shown` : "";
    });
  }
  const open = () => {
    const target = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", open);
  open();
})();
