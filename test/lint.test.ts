import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const root = fileURLToPath(new URL('..', import.meta.url));

// The walls need no types, and files that do not exist have none.
const eslint = new ESLint({
  cwd: root,
  overrideConfig: [
    tseslint.configs.disableTypeChecked,
    { rules: { '@typescript-eslint/no-unused-vars': 'off' } },
  ],
});

const walls = [
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
  return messages.map((message) => String(message.ruleId)).filter((rule) => walls.includes(rule));
}

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
  'http',
  'controlplane',
  'cluster',
  'render',
  'cli',
] as const;

type Room = (typeof rooms)[number];

/** `value`: everything of it; `type`: its types only. What is not named here is forbidden. */
const roomsOf: Readonly<Record<Exclude<Room, 'cli'>, Partial<Record<Room, 'value' | 'type'>>>> = {
  errors: {},
  catalog: {},
  filesystem: { errors: 'value' },
  changeset: { filesystem: 'type' },
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
  http: {},
  controlplane: { errors: 'value', catalog: 'value', storage: 'value', http: 'value', operations: 'type' },
  cluster: { errors: 'value', filesystem: 'value', http: 'value', operations: 'type' },
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
};

/** Import declarations of outside things, with the only rooms (besides cli) where they may stand. */
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
  [`import { CoreV1Api } from '@kubernetes/client-node';`, ['cluster']],
  [`import { execFile } from 'node:child_process';`, ['cluster']],
  [`import { parseDocument } from 'yaml';`, ['yaml']],
  [`import { isMap } from 'yaml';`, ['yaml', 'kubeconfig']],
  [`import { stringify } from 'yaml';`, ['yaml', 'kubeconfig', 'render']],
  [`import { z } from 'zod';`, ['config']],
  [`import { query } from 'json-p3';`, ['jsonpath']],
  [`import { readFileSync } from 'node:fs';`, ['filesystem', 'inventory', 'storage']],
  [`import { openSync } from 'node:fs';`, ['filesystem', 'storage']],
  [`import { writeFileSync } from 'node:fs';`, ['storage']],
  [`import { renameSync } from 'node:fs';`, ['storage']],
  [`import { writeSync } from 'node:fs';`, ['storage']],
  [`import * as fs from 'node:fs';`, ['storage']],
  [`import fs from 'node:fs';`, ['storage']],
  [`import { writeFile } from 'node:fs/promises';`, []],
  [`import { writeFileSync } from 'fs';`, []],
  [`import chalk from 'chalk';`, ['render']],
  [`import { Command } from 'commander';`, []],
  [`import process from 'node:process';`, []],
  [`import { argv } from 'process';`, []],
  [`import { log } from 'node:console';`, []],
  [`import { spawn } from 'node:child_process';`, []],
  [`import { performance } from 'node:perf_hooks';`, []],
  [`import leftPad from 'left-pad';`, []],
  [`export { readFileSync } from 'node:fs';`, ['filesystem', 'inventory', 'storage']],
  [`export { renameSync } from 'node:fs';`, ['storage']],
];

/** What only cli may do. */
const effects = [
  'export const now = Date.now();',
  `export const now = Date['now']();`,
  'export const { now } = Date;',
  'export const now = new Date();',
  'export const now = Date();',
  'export const chance = Math.random();',
  'export const { argv } = process;',
  `console.error('no');`,
  'export const serial = crypto.randomUUID();',
  'export const now = performance.now();',
  'export const { argv } = globalThis.process;',
  `export const pki = await import('../pki/issue.ts');`,
];

for (const room of rooms) {
  if (room === 'cli') continue;
  describe(`the walls of src/${room}`, () => {
    for (const other of rooms) {
      if (other === room) continue;
      const allowed = roomsOf[room][other];

      test(`${allowed ?? 'nothing'} of src/${other} may be imported`, async () => {
        const value = await violations(`src/${room}/virtual.ts`, `import { x } from '../${other}/x.ts';`);
        assert.equal(value.length > 0, allowed !== 'value');
        const type = await violations(`src/${room}/virtual.ts`, `import type { X } from '../${other}/x.ts';`);
        assert.equal(type.length > 0, allowed === undefined);
        const inline = await violations(
          `src/${room}/virtual.ts`,
          `import { type X } from '../${other}/x.ts';`,
        );
        assert.equal(inline.length > 0, allowed === undefined);
        const mixed = await violations(
          `src/${room}/virtual.ts`,
          `import { type X, x } from '../${other}/x.ts';`,
        );
        assert.equal(mixed.length > 0, allowed !== 'value');
        const passedOn = await violations(`src/${room}/virtual.ts`, `export { x } from '../${other}/x.ts';`);
        assert.equal(passedOn.length > 0, allowed !== 'value');
        const deeper = await violations(
          `src/${room}/deeper/virtual.ts`,
          `import { x } from '../../${other}/x.ts';`,
        );
        assert.equal(deeper.length > 0, allowed !== 'value');
      });
    }

    test('its own files may be imported', async () => {
      assert.deepEqual(await violations(`src/${room}/virtual.ts`, `import { x } from './x.ts';`), []);
      assert.deepEqual(await violations(`src/${room}/deeper/virtual.ts`, `import { x } from '../x.ts';`), []);
    });

    test('what lies outside src may not', async () => {
      for (const path of ['../../package.json', '../../test/support/tree.ts', '../x.ts', './../cli/x.ts']) {
        const found = await violations(`src/${room}/virtual.ts`, `import x from '${path}';`);
        assert.ok(found.length > 0, path);
      }
    });

    test('packages and node builtins: those of the table only', async () => {
      for (const [declaration, allowed] of outside) {
        const found = await violations(`src/${room}/virtual.ts`, declaration);
        assert.deepEqual(
          [...new Set(found)],
          allowed.includes(room) ? [] : ['no-restricted-imports'],
          declaration,
        );
      }
    });

    test('neither clock nor chance nor process', async () => {
      for (const code of effects) {
        const found = await violations(`src/${room}/virtual.ts`, code);
        assert.ok(found.length > 0, code);
      }
    });

    test('a date from an argument is fine', async () => {
      const code = 'export const day = (at: number): Date => new Date(at);';
      assert.deepEqual(await violations(`src/${room}/virtual.ts`, code), []);
    });
  });
}

describe('the walls of src/operations', () => {
  test('of the inventory it may also use the look-ups', async () => {
    const lookUp = `import { findAuthority, type Inventory } from '../inventory/inventory.ts';`;
    assert.deepEqual(await violations('src/operations/virtual.ts', lookUp), []);
    assert.notDeepEqual(await violations('src/render/virtual.ts', lookUp), []);
  });
});

describe('the walls of src/cli', () => {
  test('it wires every room, and is where process, console and the clock are', async () => {
    for (const room of rooms) {
      const code = `import { x } from '../${room}/x.ts';`;
      assert.deepEqual(await violations('src/cli/virtual.ts', code), [], code);
    }
    for (const code of [
      `import { Command } from 'commander';`,
      `export const module = await import('commander');`,
      ...effects,
    ]) {
      assert.deepEqual(await violations('src/cli/virtual.ts', code), [], code);
    }
  });

  test('it leaves to the other rooms what is theirs', async () => {
    for (const name of [
      'node:crypto',
      'node-forge',
      'yaml',
      'zod',
      '@kubernetes/client-node',
      'chalk',
      'node:fs/promises',
    ]) {
      const code = `import { x } from '${name}';`;
      assert.deepEqual(await violations('src/cli/virtual.ts', code), ['no-restricted-imports'], code);
    }
    const writing = `import { writeFileSync } from 'node:fs';`;
    assert.deepEqual(await violations('src/cli/virtual.ts', writing), ['no-restricted-imports']);
    for (const name of [
      'node:crypto',
      'yaml',
      'chalk',
      'node-forge/lib/asn1.js',
      '@kubernetes/client-node',
    ]) {
      const code = `export const x = await import('${name}');`;
      assert.deepEqual(await violations('src/cli/virtual.ts', code), ['no-restricted-syntax'], code);
    }
  });
});

describe('everywhere in src', () => {
  test('only src/storage opens a file for writing', async () => {
    for (const code of [
      'export const flags = constants.O_WRONLY | constants.O_CREAT;',
      `export const descriptor = openSync(path, 'w');`,
    ]) {
      assert.deepEqual(
        await violations('src/filesystem/virtual.ts', code),
        ['no-restricted-syntax'].concat(code.includes('O_CREAT') ? ['no-restricted-syntax'] : []),
      );
      assert.deepEqual(await violations('src/storage/virtual.ts', code), []);
    }
    const reading = 'export const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);';
    assert.deepEqual(await violations('src/filesystem/virtual.ts', reading), []);
  });

  test('there are no barrels', async () => {
    for (const room of rooms) {
      const found = await violations(`src/${room}/virtual.ts`, `export * from './x.ts';`);
      assert.deepEqual(found, ['no-restricted-syntax']);
    }
  });

  test('a folder without a row in the table may import nothing', async () => {
    for (const code of [`import { x } from '../errors/x.ts';`, `import { readFileSync } from 'node:fs';`]) {
      assert.deepEqual(await violations('src/somewhere-new/virtual.ts', code), ['no-restricted-imports']);
    }
  });

  test('every folder has its walls tried here', () => {
    const entries = readdirSync(join(root, 'src'), { withFileTypes: true });
    // src/decisions has pages, and no code.
    const folders = entries.filter(
      (entry) =>
        entry.isDirectory() &&
        readdirSync(join(root, 'src', entry.name)).some((name) => !name.endsWith('.md')),
    );
    const untried = folders.map((entry) => entry.name).filter((name) => !rooms.some((room) => room === name));
    assert.deepEqual(untried, []);
  });
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
