"use strict";
(async () => {
  const place = (name) => document.getElementById(name);

  async function unpacked(name) {
    const bytes = Uint8Array.from(atob(place(name).textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return await new Response(stream).text();
  }

  // ---- the table: all text goes in as text, never as HTML

  function table({ columns, rows }, first, most) {
    const [head] = place("table").tHead.rows, body = place("table").tBodies[0];
    // as it is and as it is shown
    const words = rows.map((row) => [...row, ...row.map(shown)].join("\u0000").toLowerCase());
    let by = 0, down = false, all = false;

    function shown(value) {
      if (typeof value !== "number" || Number.isInteger(value)) return value ?? "";
      const size = Math.abs(value);
      return size < 1e-4 || size >= 1e6 ? String(value.toExponential(3)).replace(/\.?0+e/, "e") : Number(value.toPrecision(4));
    }

    function compared(one, other) {
      const a = rows[one][by], b = rows[other][by];
      // what is not there comes last, whichever way
      if (a === null || b === null) return (a === null) - (b === null) || one - other;
      const sign = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
      return (down ? -sign : sign) || one - other;
    }

    function show() {
      const wanted = place("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
      const found = rows.map((_, row) => row).filter((row) => wanted.every((word) => words[row].includes(word))).sort(compared);
      const some = found.slice(0, all ? most : first);
      body.replaceChildren(...some.map((row) => {
        const line = document.createElement("tr");
        line.append(...rows[row].map((value) => {
          const cell = document.createElement("td");
          cell.textContent = shown(value);
          if (typeof value === "number") cell.className = "number";
          else if (value !== null && value.length > 24) cell.title = value;
          return cell;
        }));
        return line;
      }));
      [...head.cells].forEach((cell, column) => {
        if (column === by) cell.ariaSort = down ? "descending" : "ascending";
        else cell.removeAttribute("aria-sort");
      });
      const whole = found.length === rows.length ? "" : ` (of ${rows.length.toLocaleString("en")})`;
      place("count").textContent = `${some.length.toLocaleString("en")} of ${found.length.toLocaleString("en")} trials${whole}`;
      place("all").textContent = all ? `show ${first}` : found.length > most ? `show ${most.toLocaleString("en")}` : "show all";
    }

    [...head.cells].forEach((cell, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = columns[column] || "#";
      button.addEventListener("click", () => {
        down = column === by && !down;
        by = column;
        show();
      });
      cell.replaceChildren(button);
    });
    place("filter").addEventListener("input", show);
    place("all").addEventListener("click", () => { all = !all; show(); });
    show();
  }

  // ---- the figures, in the colour of the page's text

  const drawn = [];
  const ink = () => getComputedStyle(document.body).color;
  const recolour = (colour) => drawn.map((plot) => Plotly.relayout(plot, { "font.color": colour }));

  async function draw(figures) {
    const script = document.createElement("script");
    script.textContent = await unpacked("plotly");
    document.head.append(script);
    const options = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };
    for (const [name, figure] of Object.entries(figures)) {
      figure.layout.font.color = ink();
      // the page can be read while the next one is drawn
      await new Promise((next) => setTimeout(next));
      await Plotly.newPlot(place(`plot-${name}`), figure.data, figure.layout, options);
      drawn.push(place(`plot-${name}`));
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => recolour(ink()));
    addEventListener("beforeprint", () => recolour("#000"));
    addEventListener("afterprint", () => recolour(ink()));
  }

  try {
    const data = JSON.parse(await unpacked("data"));
    table(data.table, data.first, data.most);
    await draw(data.figures);
    document.body.dataset.state = "drawn";
  } catch (error) {
    place("trouble").textContent = `The figures could not be drawn (${error}); a browser of 2023 or later is needed. The pictures beside this file show the same.`;
    place("trouble").hidden = false;
    document.body.dataset.state = "failed";
    console.error(error);
  }
})();
