// The same answer straight from the package, on the bundling machine, with no plugin and no wsmgr in between.
import { readFileSync } from "node:fs";
import { format, number, parser, round } from "mathjs";

const { values, lines, results, precision } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const sheet = parser();
for (const [name, value] of Object.entries(values)) sheet.set(name, value);
const answer = { lines: [], results: {} };
for (const line of lines) answer.lines.push({ line, value: format(sheet.evaluate(line), { precision }) });
for (const name of results) answer.results[name] = round(number(sheet.get(name)), precision);
process.stdout.write(JSON.stringify(answer));
