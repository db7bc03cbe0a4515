// The same answer straight from the package, on this machine, with no plugin and no wsmgr in between.
const { readFileSync } = require("node:fs");
const { parse, unparse } = require("papaparse");

const { csv } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const rows = [];
let delimiter;
parse(csv, {
  header: true,
  dynamicTyping: true,
  skipEmptyLines: true,
  step: ({ data, meta }) => ((delimiter = meta.delimiter), rows.push(data)),
});
const totals = {};
for (const { customer, amount } of rows) totals[customer] = Number(((totals[customer] ?? 0) + amount).toFixed(2));
rows.sort((a, b) => b.amount - a.amount || a.id.localeCompare(b.id));
process.stdout.write(JSON.stringify({ totals, sorted: unparse(rows, { newline: "\n" }), delimiter }));
