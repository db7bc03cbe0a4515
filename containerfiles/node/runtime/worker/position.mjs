// Where in an ES module a syntax error is. V8 knows, but Node does not tell for modules; for scripts it does. So the
// source is turned into a script of the same lines and columns, and its error is used when it is the same error.
import vm from 'node:vm';

const blank = (text) => text.replace(/[^\n]/g, ' ');
const wipe = (match, indent, keyword) => indent + blank(keyword);

/** `{line, column}` or undefined. */
export function placeOfModuleError(file, source, message) {
  const script = source
    .replace(/^([ \t]*)(import\b(?![ \t]*[.(])[^;'"]*?(?:'[^'\n]*'|"[^"\n]*"))/gm, wipe)
    .replace(/^([ \t]*)(export\s+(?:\*|\{)[^;'"]*?(?:from\s*(?:'[^'\n]*'|"[^"\n]*")|\}))/gm, wipe)
    .replace(/^([ \t]*)export default/gm, '$1void          ')
    .replace(/^([ \t]*)(export)(?=\s)/gm, wipe);
  const head = 'async()=>{"use strict";';
  try {
    new vm.Script(`${head}${script}\n}`, { filename: file, columnOffset: -head.length });
  } catch (error) {
    if (error.message !== message) return undefined;
    const [place, , carets] = error.stack.split('\n', 3);
    const line = Number(place.slice(file.length + 1));
    const shift = line === 1 ? head.length : 0;
    return { line, column: carets.indexOf('^') + 1 - shift };
  }
  return undefined;
}
