// What a plugin's files are called in front of people, and how their places are found in stacks. A single file is
// `plugin:<slug>/index.js`; the files of a bundle are `plugin:<slug>/<path>`, wherever the workspace keeps them.

/** `main`: the name of the entry; `root`: what all names begin with; `lines`: of a single file, else null. */
export function sceneOf(slug, code, folder) {
  const root = `plugin:${slug}/`;
  if (folder === undefined) {
    return { main: `${root}index.js`, root, lines: code.split('\n').length, shown: (text) => text };
  }
  const places = [`file://${folder.dir}/`, `${folder.dir}/`];
  const shown = (text) => places.reduce((rest, place) => rest.replaceAll(place, root), text);
  return { main: `${root}${folder.entry}`, root, lines: null, shown };
}

/** The first place in the plugin that a stack names, `{file?, line, column?}`; a syntax error marks its column by ^. */
export function placeIn(stack, scene) {
  if (typeof stack !== 'string') return undefined;
  const text = scene.shown(stack);
  const at = text.indexOf(scene.lines === null ? scene.root : `${scene.main}:`);
  if (at < 0) return undefined;
  const [, path, line, column] = /^([^\s:()]+):(\d+)(?::(\d+))?/.exec(text.slice(at + 'plugin:'.length)) ?? [];
  if (line === undefined || (scene.lines !== null && Number(line) > scene.lines)) return undefined;
  const file = scene.lines === null ? { file: path.slice(path.indexOf('/') + 1) } : {};
  if (column !== undefined) return { ...file, line: Number(line), column: Number(column) };
  const caret = text.slice(at).split('\n', 3)[2]?.indexOf('^') ?? -1;
  return caret < 0 ? { ...file, line: Number(line) } : { ...file, line: Number(line), column: caret + 1 };
}
