import { createHash } from 'node:crypto';

/**
 * One file of two scripts, one behind the other, which bin/kubepki.js runs. The first is what every start needs. The second,
 * all the rest, is not even read until a part of it is wanted; each is a function that runs then, so that V8 does not
 * compile one that does not run.
 * @param {string} together code that makes `module.exports` a table of functions, by the name of what they run
 * @param {readonly (readonly [name: string, code: string])[]} rest by the name that others ask for: `./NAME`
 * @returns {string} beginning with a header: the digest of all that follows, and how long the first script is
 */
export function inOneFile(together, rest) {
  const first = start(together);
  const second = `\n(${table(rest)})`;
  const strange = /[\u0080-\uffff].*/.exec(first + second);
  // In a regular expression esbuild leaves it as it is.
  if (strange !== null) throw new Error(`it is read as ASCII, and is not: ${strange[0].slice(0, 60)}`);
  const digest = createHash('sha256').update(first).update(second).digest('hex');
  const header = (length) => `/*${digest} ${String(length).padStart(11, '0')}*/`;
  return header(header(0).length + first.length) + first + second;
}

/**
 * A function of node's `require` and of what reads the second script; it gives what of that has run. `late:NAME` is wanted
 * when somebody asks it for something, but for what esbuild asks each.
 */
function start(together) {
  return `((outer,readRest)=>{let rest;const made={};
const load=name=>{if(!name.startsWith("./"))return outer(name);if(Object.hasOwn(first,name))return first[name]();
if(made[name])return made[name].exports;
const module=made[name]={exports:{}};(rest??=readRest())[name](module,module.exports,require);return module.exports};
const later=name=>new Proxy({},{get:(_,member)=>member==="__esModule"?undefined:load(name)[member]});
const require=name=>name.startsWith("late:")?later(name.slice(5)):load(name);
const module={};((module,exports,require)=>{${together}})(module,module.exports,require);const first=module.exports;
load("./main.js");return made})`;
}

function table(parts) {
  const members = parts.map(([name, code]) => `${JSON.stringify(name)}:(module,exports,require)=>{${code}}`);
  return `{${members.join(',\n')}}`;
}
