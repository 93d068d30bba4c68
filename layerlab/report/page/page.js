const drawn = [];
// Draws every figure of the page. Its table twin is there without this script.
for (const block of document.querySelectorAll("script.plot-data")) {
  const { data, layout } = JSON.parse(block.textContent);
  const place = document.getElementById(block.dataset.for);
  // A fixed width is for the notebook's column; here the figure takes the page's.
  delete layout.width;
  Plotly.newPlot(place, data, { ...layout, autosize: true }, { responsive: true, displaylogo: false });
  drawn.push(place);
}
// A figure is as wide as the window, paper is not: 640 pixels fit a portrait page of A4 or letter size.
addEventListener("beforeprint", () => drawn.forEach((place) => Plotly.relayout(place, { width: 640 })));
addEventListener("afterprint", () => drawn.forEach((place) => Plotly.relayout(place, { width: null, autosize: true })));
