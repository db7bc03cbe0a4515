const Papa = require("papaparse");

/** Reads `input.csv`; answers the rows of each customer summed up, and the table sorted, as CSV again. */
module.exports = function sumUp(input, context) {
  const { data, errors, meta } = Papa.parse(input.csv, { header: true, dynamicTyping: true, skipEmptyLines: true });
  console.log(`${data.length} rows, ${meta.fields.length} columns, ${errors.length} errors`);
  const totals = {};
  for (const row of data) totals[row.customer] = Math.round(((totals[row.customer] ?? 0) + row.amount) * 100) / 100;
  const sorted = [...data].sort((a, b) => b.amount - a.amount || (a.id < b.id ? -1 : 1));
  return { totals, sorted: Papa.unparse(sorted, { newline: "\n" }), delimiter: meta.delimiter };
};
