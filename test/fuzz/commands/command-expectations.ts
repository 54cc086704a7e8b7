import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { certificateAuthorities, certificates } from '../../../src/catalog/catalog.ts';
import type { Outputs } from './command-outputs.ts';
import { textRows } from './rows.ts';
import type { Said } from './said.ts';

interface Row {
  readonly name: string;
  readonly expirationDate: string | null;
  readonly missing: boolean;
}

interface Document {
  readonly certificates: readonly Row[];
  readonly certificateAuthorities: readonly Row[];
}

const rowsOf = ({ stdout }: Said): readonly Row[] => {
  const { certificates, certificateAuthorities } = JSON.parse(stdout) as Document;
  return [...certificates, ...certificateAuthorities];
};

/** One bad file never blinds you: every row is there, and but for the bad file's own it is what it was. */
export function requireOtherRows(now: Outputs, usual: Outputs, own: string | undefined): void {
  const rows = rowsOf(now.json);
  assert.deepEqual(
    rows.filter(({ name }) => name !== own),
    rowsOf(usual.json).filter(({ name }) => name !== own),
  );
  assert.equal(rows.length, rowsOf(usual.json).length);
  const bad = rows.some(({ name, expirationDate }) => name === own && expirationDate === null);
  assert.equal(now.json.code, bad ? 1 : 0);
  const table = textRows(now.text.stdout);
  if (bad && own !== undefined) assert.deepEqual(table.get(own), [`!INVALID! ${own}`]);
  assert.deepEqual(
    [...table].filter(([name]) => name !== own),
    [...textRows(usual.text.stdout)].filter(([name]) => name !== own),
  );
  // What cannot be read cannot be renewed.
  if (bad) assert.equal(now.dryRun.code, 1);
}

/** Whatever a configuration asks for, the rows are those of a node with etcd on it or of one without. */
export function requireRowsOfSomeNode({ json }: Outputs): void {
  if (json.stdout === '') return;
  const names = rowsOf(json).map(({ name }) => name);
  const all = [...certificates, ...certificateAuthorities];
  const possible = [all, all.filter(({ stackedEtcd }) => !stackedEtcd)].flatMap((specs) => [
    specs,
    specs.filter((spec) => !(spec.kind === 'kubeconfig' && spec.optional)),
  ]);
  assert.ok(
    possible.some((specs) => specs.map(({ name }) => name).join() === names.join()),
    names.join(),
  );
}

/** The three forms of a report agree, with each other and with what is said on stderr. */
export function requireOneReport({ text, json, yaml }: Outputs): void {
  for (const other of [text, yaml]) {
    assert.deepEqual([other.code, other.stderr], [json.code, json.stderr]);
    assert.equal(other.stdout === '', json.stdout === '');
  }
  if (json.stdout !== '') assert.deepEqual(parse(yaml.stdout), JSON.parse(json.stdout));
}

/**
 * Of the codes that docs/exit-codes.md documents these are left: done, an error, and an invalid configuration where there is one.
 * @param config the configuration's file
 */
export function requireTruthfulCode({ code, stderr }: Said, config: string | undefined): void {
  const possible = config === undefined ? [0, 1] : [0, 1, 3];
  assert.ok(possible.includes(code), `exit ${String(code)}`);
  assert.match(stderr, /^(?:(?:error|hint|warning|note): \S.*\n)*$/);
  assert.equal(/^error: /m.test(stderr), code !== 0, stderr);
}

/** A plugin says one line and exits with one of its numbers; OK is said only where nothing is wrong. */
export function requirePluginLine({ nagios: { code, stdout }, json }: Outputs): void {
  if (stdout === '') {
    // That the node cannot be opened is UNKNOWN, which main says.
    assert.equal(code, json.code);
    assert.notEqual(code, 0);
    return;
  }
  assert.match(stdout, /^KUBEPKI (?:OK|WARNING|CRITICAL) - [^\n|]* \| [^\n|]+\n$/);
  assert.ok([0, 1, 2].includes(code));
  if (json.code !== 0) assert.equal(code, 2);
}

/** A dry run shows the whole change, or nothing of it. */
export function requireWholeDryRun({ dryRun: { code, stdout } }: Outputs): void {
  if (code === 0) assert.ok(stdout.endsWith('nothing was changed (--dry-run)\n'), stdout);
  else assert.equal(stdout, '');
}

/** The certificates that a dry run would change. */
export function changedBy({ dryRun: { stdout } }: Outputs): (string | undefined)[] {
  const lines = stdout.matchAll(/^would change (\S+): ends .+ -> .+, issuer .+, key \S+$/gm);
  return [...lines].map(([, name]) => name);
}
