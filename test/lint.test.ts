import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cruise, type IConfiguration, type ICruiseResult } from 'dependency-cruiser';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const root = fileURLToPath(new URL('..', import.meta.url));

const { default: walls } = (await import(new URL('../.dependency-cruiser.js', import.meta.url).href)) as {
  default: IConfiguration;
};
const { rooms: table } = (await import(new URL('../rooms.js', import.meta.url).href)) as { rooms: object };

// These rules need no types, and files that do not exist have none.
const eslint = new ESLint({
  cwd: root,
  overrideConfig: [
    tseslint.configs.disableTypeChecked,
    { rules: { '@typescript-eslint/no-unused-vars': 'off' } },
  ],
});

const rules = [
  'no-restricted-imports',
  'no-restricted-globals',
  'no-restricted-properties',
  'no-restricted-syntax',
];

async function violations(filePath: string, code: string): Promise<readonly string[]> {
  const results = await eslint.lintText(`${code}\n`, { filePath: join(root, filePath) });
  const messages = results.flatMap((result) => result.messages);
  const broken = messages.find((message) => message.fatal === true);
  assert.equal(broken, undefined, `${code}: ${String(broken?.message)}`);
  return messages.map((message) => String(message.ruleId)).filter((rule) => rules.includes(rule));
}

/** From the lowest up. */
const rooms = [
  'errors',
  'catalog',
  'filesystem',
  'changeset',
  'pki',
  'yaml',
  'kubeconfig',
  'config',
  'jsonpath',
  'inventory',
  'operations',
  'storage',
  'transfer',
  'http',
  'controlplane',
  'cluster',
  'documents',
  'render',
  'terminal',
  'flags',
  'node',
  'change',
  'commands',
  'cli',
] as const;

type Room = (typeof rooms)[number];

/** `value`: everything of it; `type`: its types only. What is not named here is forbidden. */
const roomsOf: Readonly<Record<Room, Partial<Record<Room, 'value' | 'type'>>>> = {
  errors: {},
  catalog: {},
  filesystem: { errors: 'value' },
  changeset: { filesystem: 'value' },
  pki: { errors: 'value' },
  yaml: { errors: 'value' },
  kubeconfig: { errors: 'value', yaml: 'value' },
  config: { errors: 'value', yaml: 'value' },
  jsonpath: { errors: 'value' },
  inventory: {
    errors: 'value',
    catalog: 'value',
    filesystem: 'value',
    changeset: 'type',
    pki: 'value',
    yaml: 'value',
    kubeconfig: 'value',
  },
  operations: {
    errors: 'value',
    catalog: 'value',
    changeset: 'value',
    pki: 'value',
    kubeconfig: 'value',
    config: 'type',
    inventory: 'type',
  },
  storage: { errors: 'value', filesystem: 'value', changeset: 'value' },
  transfer: values('errors', 'pki', 'operations'),
  http: {},
  controlplane: { errors: 'value', catalog: 'value', storage: 'value', http: 'value', operations: 'type' },
  cluster: { errors: 'value', filesystem: 'value', http: 'value', operations: 'type' },
  documents: { errors: 'value', operations: 'type' },
  render: {
    errors: 'value',
    catalog: 'type',
    changeset: 'type',
    pki: 'type',
    kubeconfig: 'type',
    config: 'type',
    inventory: 'type',
    operations: 'type',
  },
  terminal: values('errors', 'filesystem', 'render', 'operations'),
  flags: { ...values('errors', 'catalog', 'config', 'operations'), render: 'type' },
  node: {
    ...values(
      'errors',
      'catalog',
      'filesystem',
      'kubeconfig',
      'config',
      'inventory',
      'operations',
      'storage',
    ),
    ...values('cluster', 'controlplane', 'documents', 'pki', 'terminal', 'flags'),
    changeset: 'type',
  },
  change: {
    ...values('errors', 'catalog', 'filesystem', 'changeset', 'pki', 'config', 'inventory', 'operations'),
    ...values('storage', 'controlplane', 'render', 'terminal', 'node', 'flags'),
  },
  commands: {
    ...values('errors', 'catalog', 'filesystem', 'changeset', 'pki', 'config', 'jsonpath', 'inventory'),
    ...values('operations', 'storage', 'transfer', 'controlplane', 'cluster', 'documents', 'render'),
    ...values('terminal', 'node', 'flags', 'change'),
  },
  cli: values('errors', 'filesystem', 'render', 'terminal', 'flags', 'commands'),
};

function values(...names: Room[]): Partial<Record<Room, 'value'>> {
  return Object.fromEntries(names.map((name) => [name, 'value']));
}

/** A room imports of another; whether it may is the same for all these, as for values or as for types. */
const imports = {
  value: [
    (path: string) => `import { x } from '${path}';\nexport const y = x;`,
    (path: string) => `import { type X, x } from '${path}';\nexport const y: X = x;`,
    (path: string) => `export { x } from '${path}';`,
    (path: string) => `export const y = await import('${path}');`,
  ],
  type: [
    (path: string) => `import type { X } from '${path}';\nexport type Y = X;`,
    (path: string) => `import { type X } from '${path}';\nexport type Y = X;`,
    (path: string) => `export type { X } from '${path}';`,
  ],
};

const target = 'export const x = 1;\nexport type X = number;\n';

/** @returns for each file that breaks a rule about imports, which ones */
async function broken(
  files: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const tree = mkdtempSync(join(tmpdir(), 'kubepki-walls-'));
  after(() => {
    rmSync(tree, { recursive: true, force: true });
  });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  const { options, ...ruleSet } = walls;
  const { output } = await cruise(['src'], { ...options, baseDir: tree, validate: true, ruleSet });
  const { modules, summary } = output as ICruiseResult;
  // What it has not read it has not judged.
  for (const path of Object.keys(files))
    assert.ok(
      modules.some(({ source }) => source === path),
      path,
    );
  const found = new Map<string, string[]>();
  for (const { from, rule } of summary.violations) found.set(from, [...(found.get(from) ?? []), rule.name]);
  return found;
}

/** Import declarations of outside things, with the only rooms where they may stand. */
const outside: readonly (readonly [declaration: string, rooms: readonly Room[]])[] = [
  [`import { sign } from 'node:crypto';`, ['pki']],
  [`import { createHash } from 'node:crypto';`, ['pki', 'filesystem']],
  [`import { randomBytes } from 'node:crypto';`, ['pki', 'storage']],
  [`import forge from 'node-forge';`, ['pki']],
  [`import asn1 from 'node-forge/lib/asn1.js';`, ['pki']],
  [`import { isIP } from 'node:net';`, ['config', 'operations', 'controlplane', 'cluster']],
  [`import ipaddr from 'ipaddr.js';`, ['pki', 'config', 'operations']],
  [`import { connect } from 'node:net';`, ['controlplane']],
  [`import { connect } from 'node:tls';`, ['controlplane']],
  [`import { request } from 'node:https';`, ['http']],
  [`import { request } from 'node:http';`, ['http']],
  [`import { Agent } from 'node:https';`, ['http', 'cluster']],
  [`import { createSecureContext } from 'node:tls';`, ['controlplane', 'cluster']],
  [`import { execFile } from 'node:child_process';`, ['cluster']],
  [`import { parseDocument } from 'yaml';`, ['yaml']],
  [`import { isMap } from 'yaml';`, ['yaml', 'kubeconfig']],
  [`import { stringify } from 'yaml';`, ['yaml', 'kubeconfig', 'render']],
  [`import { z } from 'zod';`, ['config', 'cluster', 'documents']],
  [`import { query } from 'json-p3';`, ['jsonpath']],
  [`import { Header } from 'tar/header';`, ['transfer']],
  // It writes to the disk.
  [`import { extract } from 'tar';`, []],
  [`import { readFileSync } from 'node:fs';`, ['filesystem', 'inventory', 'storage', 'change']],
  [`import { statSync } from 'node:fs';`, ['filesystem', 'inventory', 'storage', 'node', 'change']],
  [`import { realpathSync } from 'node:fs';`, ['filesystem', 'inventory', 'storage', 'change', 'commands']],
  [`import { openSync } from 'node:fs';`, ['filesystem', 'storage']],
  [`import { writeFileSync } from 'node:fs';`, ['storage']],
  [`import { renameSync } from 'node:fs';`, ['storage']],
  [`import { writeSync } from 'node:fs';`, ['storage']],
  [`import * as fs from 'node:fs';`, ['storage']],
  [`import fs from 'node:fs';`, ['storage']],
  [`import { writeFile } from 'node:fs/promises';`, []],
  [`import { writeFileSync } from 'fs';`, []],
  [`import chalk from 'chalk';`, ['render', 'terminal']],
  [`import Table from 'cli-table3';`, ['terminal']],
  [`import stringWidth from 'string-width';`, ['terminal']],
  [`import { Command } from 'commander';`, ['flags', 'commands', 'cli']],
  [`import process from 'node:process';`, []],
  [`import { argv } from 'process';`, []],
  [`import { log } from 'node:console';`, []],
  [`import { spawn } from 'node:child_process';`, ['change']],
  [`import { createInterface } from 'node:readline';`, ['terminal']],
  [`import { hostname } from 'node:os';`, ['node', 'commands']],
  [`import { performance } from 'node:perf_hooks';`, []],
  [`import leftPad from 'left-pad';`, []],
  [`export { readFileSync } from 'node:fs';`, ['filesystem', 'inventory', 'storage', 'change']],
  [`export { renameSync } from 'node:fs';`, ['storage']],
];

const withClock: readonly Room[] = ['terminal', 'change', 'commands'];
const withProcess: readonly Room[] = ['terminal', 'node', 'flags', 'change', 'commands', 'cli'];

/** What is an argument everywhere but in these rooms. */
const effects: readonly (readonly [code: string, rooms: readonly Room[]])[] = [
  ['export const now = Date.now();', withClock],
  [`export const now = Date['now']();`, withClock],
  ['export const { now } = Date;', withClock],
  ['export const now = new Date();', withClock],
  ['export const now = Date();', withClock],
  ['export const now = performance.now();', withClock],
  ['export const { argv } = process;', withProcess],
  // What is imported when it is called.
  [`export const lazy = await import('./lazy.ts');`, withProcess],
  ['export const chance = Math.random();', []],
  [`console.error('no');`, []],
  ['export const serial = crypto.randomUUID();', []],
  ['export const { argv } = globalThis.process;', []],
  [`export const answer = await fetch('https://example.com/');`, []],
  [`export const loaded = await import('node:crypto');`, []],
  [`export const loaded = await import('chalk');`, []],
  [`export const loaded = await import('node-forge/lib/asn1.js');`, []],
  [`export const loaded = await import('../pki/' + name);`, []],
];

describe('the walls between the rooms', () => {
  test('the rooms stand in one order', () => {
    assert.deepEqual(Object.keys(table), rooms);
    for (const [index, room] of rooms.entries()) {
      const under: readonly string[] = rooms.slice(0, index);
      for (const other of Object.keys(roomsOf[room])) assert.ok(under.includes(other), `${room} > ${other}`);
    }
  });

  test('what of another room may be imported', async () => {
    const files: Record<string, string> = {};
    const expected = new Map<string, boolean>();
    for (const room of rooms) {
      files[`src/${room}/x.ts`] = target;
      for (const other of rooms) {
        if (other === room) continue;
        const allowed = roomsOf[room][other];
        for (const [kind, declarations] of Object.entries(imports)) {
          for (const [index, declare] of declarations.entries()) {
            const isAllowed = allowed === 'value' || allowed === kind;
            const name = `${other}-${kind}-${String(index)}.ts`;
            files[`src/${room}/${name}`] = declare(`../${other}/x.ts`);
            expected.set(`src/${room}/${name}`, isAllowed);
            files[`src/${room}/deeper/${name}`] = declare(`../../${other}/x.ts`);
            expected.set(`src/${room}/deeper/${name}`, isAllowed);
          }
        }
      }
    }
    const found = await broken(files);
    for (const [path, isAllowed] of expected) assert.equal(found.has(path), !isAllowed, path);
    assert.equal(found.size, [...expected.values()].filter((isAllowed) => !isAllowed).length);
  });

  test('its own files may be imported; what lies outside src may not', async () => {
    const files: Record<string, string> = { 'package.json': '{}', 'test/x.ts': target, 'src/x.ts': target };
    for (const room of rooms) {
      files[`src/${room}/x.ts`] = target;
      files[`src/${room}/own.ts`] = `export { x } from './x.ts';`;
      files[`src/${room}/deeper/own.ts`] = `export { x } from '../x.ts';`;
      files[`src/${room}/test.ts`] = `export { x } from '../../test/x.ts';`;
      files[`src/${room}/above.ts`] = `export { x } from '../x.ts';`;
      // Whichever way it is written.
      const other = room === 'cli' ? 'pki' : 'cli';
      files[`src/${room}/detour.ts`] = `export { x } from './../${room}/../${other}/x.ts';`;
      files[`src/${room}/package.ts`] = `export { default } from '../../package.json';`;
    }
    const found = await broken(files);
    for (const room of rooms) {
      assert.ok(!found.has(`src/${room}/own.ts`), room);
      // What two commands have in common belongs below them.
      assert.equal(found.has(`src/${room}/deeper/own.ts`), room === 'commands', room);
      for (const name of ['test', 'above', 'detour']) assert.ok(found.has(`src/${room}/${name}.ts`), room);
      // The version is in it.
      assert.equal(found.has(`src/${room}/package.ts`), room !== 'commands', room);
    }
  });

  test('of the inventory and the configuration operations may also use these files', async () => {
    const found = await broken({
      'src/inventory/inventory.ts': target,
      'src/inventory/look-ups.ts': target,
      'src/config/host-names.ts': target,
      'src/config/host-names/more.ts': target,
      'src/operations/look-up.ts': `export { x } from '../inventory/look-ups.ts';`,
      'src/operations/name.ts': `export { x } from '../config/host-names.ts';`,
      'src/operations/inventory.ts': `export { x } from '../inventory/inventory.ts';`,
      'src/operations/more.ts': `export { x } from '../config/host-names/more.ts';`,
      'src/render/look-up.ts': `export { x } from '../inventory/look-ups.ts';`,
    });
    assert.deepEqual([...found.keys()].sort(), [
      'src/operations/inventory.ts',
      'src/operations/more.ts',
      'src/render/look-up.ts',
    ]);
  });

  test('a command imports no other', async () => {
    const found = await broken({
      'src/commands/renew/x.ts': target,
      'src/commands/renew/use-api/x.ts': target,
      'src/commands/renew/below.ts': `export { x } from './use-api/x.ts';`,
      'src/commands/renew/use-api/above.ts': `export { x } from '../x.ts';`,
      'src/commands/install/other.ts': `export { x } from '../renew/x.ts';`,
    });
    assert.deepEqual([...found], [['src/commands/install/other.ts', ['command to command']]]);
  });

  test('no import goes in a circle, not even of types', async () => {
    const found = await broken({
      'src/pki/a.ts': `import type { X } from './b.ts';\nexport type Y = X;`,
      'src/pki/b.ts': `export const z = await import('./c.ts');\nexport type X = 1;`,
      'src/pki/c.ts': `import { type Y } from './a.ts';\nexport type Z = Y;`,
      'src/pki/d.ts': `import type { Z } from './c.ts';\nexport type W = Z;`,
    });
    // It is said once.
    assert.deepEqual([...found], [['src/pki/a.ts', ['circle']]]);
  });

  test('a folder without a row in the table may import nothing', async () => {
    const found = await broken({
      'src/errors/x.ts': target,
      'src/somewhere-new/x.ts': `export { x } from '../errors/x.ts';`,
    });
    assert.deepEqual([...found], [['src/somewhere-new/x.ts', ['room without a row']]]);
    const reading = `import { readFileSync } from 'node:fs';`;
    assert.deepEqual(await violations('src/somewhere-new/virtual.ts', reading), ['no-restricted-imports']);
  });

  test('every folder has its walls tried here', () => {
    const folders = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).flatMap(
      // src/decisions has no code.
      (path) => (path.endsWith('.ts') ? path.split('/').slice(0, 1) : []),
    );
    const untried = [...new Set(folders)].filter((name) => !rooms.some((room) => room === name));
    assert.deepEqual(untried, []);
  });
});

for (const room of rooms) {
  describe(`the world outside src/${room}`, () => {
    test('packages and node builtins: those of the table only', async () => {
      for (const [declaration, allowed] of outside) {
        for (const path of [`src/${room}/virtual.ts`, `src/${room}/deeper/still/virtual.ts`]) {
          const found = await violations(path, declaration);
          assert.deepEqual(
            [...new Set(found)],
            allowed.includes(room) ? [] : ['no-restricted-imports'],
            declaration,
          );
        }
      }
    });

    test('clock, chance and process are arguments, but for the rooms that have them', async () => {
      for (const [code, allowed] of effects) {
        const found = await violations(`src/${room}/virtual.ts`, code);
        assert.equal(found.length > 0, !allowed.includes(room), code);
      }
    });

    test('a date from an argument is fine', async () => {
      const code = 'export const day = (at: number): Date => new Date(at);';
      assert.deepEqual(await violations(`src/${room}/virtual.ts`, code), []);
    });

    test('there are no barrels', async () => {
      const found = await violations(`src/${room}/virtual.ts`, `export * from './x.ts';`);
      assert.deepEqual(found, ['no-restricted-syntax']);
    });

    test('only src/storage opens a file for writing', async () => {
      for (const code of [
        'export const flags = constants.O_WRONLY | constants.O_CREAT;',
        `export const descriptor = openSync(path, 'w');`,
      ]) {
        const expected = code.includes('O_CREAT') ? ['no-restricted-syntax'] : [];
        assert.deepEqual(
          await violations(`src/${room}/virtual.ts`, code),
          room === 'storage' ? [] : [...expected, 'no-restricted-syntax'],
        );
      }
      const reading = 'export const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);';
      assert.deepEqual(await violations(`src/${room}/virtual.ts`, reading), []);
    });
  });
}

test('standard output and error are opened and written in one file', async () => {
  for (const code of [
    `import { fstatSync, writeSync } from 'node:fs';`,
    'export const flags = constants.O_WRONLY;',
  ]) {
    assert.deepEqual(await violations('src/terminal/standard-streams.ts', code), []);
    assert.notDeepEqual(await violations('src/terminal/virtual.ts', code), []);
  }
  for (const code of [
    `import { writeFileSync } from 'node:fs';`,
    `import { createHash } from 'node:crypto';`,
    `export const loaded = await import('chalk');`,
  ]) {
    assert.notDeepEqual(await violations('src/terminal/standard-streams.ts', code), [], code);
  }
});

test('bin only starts the bundle', async () => {
  assert.deepEqual(await violations('bin/virtual.js', `require('node:os');`), []);
  for (const code of [
    `import('../src/cli/main.ts');`,
    `import('../dist/' + name);`,
    `require('../src/cli/main.ts');`,
    `require('chalk');`,
  ]) {
    assert.deepEqual(await violations('bin/virtual.js', code), ['no-restricted-syntax'], code);
  }
});

test('a rule that is switched off has its reason beside it', () => {
  const unexplained = ['src', 'test', 'bin'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(?:ts|js|mjs)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .flatMap((file) =>
        readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => /(?:\/\/|\/\*) *(?:eslint-disable|@ts-)/.test(line) && !/ -- \S/.test(line))
          .map((line) => `${file}: ${line.trim()}`),
      ),
  );
  assert.deepEqual(unexplained, []);
});
