import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { judge } from '../../support/judge.ts';
import { temporaryDirectory } from '../../support/tree.ts';
import { contrib } from './bed.ts';

test('ansible-lint has nothing to say, by its profile for production', (t) => {
  const lint = judge(t, 'ansible-lint');
  if (lint === undefined) return;
  const files = ['check.yml', 'renew.yml', 'ca-rotate.yml', 'inventory.example.yml', 'roles/kubepki'];
  const { status, stdout, stderr } = spawnSync(
    lint,
    ['--offline', '--nocolor', '--profile', 'production', ...files],
    { cwd: contrib, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: temporaryDirectory(t) } },
  );
  assert.equal(status, 0, stdout + stderr);
  assert.match(stderr, /Passed with production profile: 0 failure\(s\), 0 warning\(s\) on \d\d files/);
});

test('every variable has a default, a description and a line in the README of the role', () => {
  const role = (path: string): string => readFileSync(join(contrib, 'roles/kubepki', path), 'utf8');
  const { argument_specs: specs } = parse(role('meta/argument_specs.yml')) as {
    readonly argument_specs: Readonly<
      Record<string, { readonly options: Readonly<Record<string, { readonly default?: unknown }>> }>
    >;
  };
  const described = Object.values(specs).flatMap(({ options }) => Object.entries(options));
  const defaults = parse(role('defaults/main.yml')) as Readonly<Record<string, unknown>>;
  // The stage has to be given.
  const optional = described.filter(([, option]) => 'default' in option);
  assert.deepEqual(Object.fromEntries(optional.map(([name, option]) => [name, option.default])), defaults);
  assert.deepEqual(
    [...role('README.md').matchAll(/^\| `(kubepki_\w+)` \|/gm)].map(([, name]) => name),
    described.map(([name]) => name),
  );
});
