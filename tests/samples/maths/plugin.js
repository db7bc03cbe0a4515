import { all, create } from "mathjs";

/** Evaluates a worksheet line by line in one scope; answers each line's value as text, and the named results as numbers. */
export default function evaluateWorksheet(input, context) {
  const math = create(all);
  const scope = { ...input.values };
  const lines = input.lines.map((line) => ({
    line,
    value: math.format(math.evaluate(line, scope), { precision: input.precision }),
  }));
  const results = Object.fromEntries(
    input.results.map((name) => [name, math.round(math.number(scope[name]), input.precision)]),
  );
  return { lines, results };
}
