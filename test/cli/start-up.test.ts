import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { judge } from '../support/judge.ts';
import { kubepkiCommand } from '../support/kubepki.ts';
import { fixturePath, temporaryDirectory } from '../support/tree.ts';

/** What only the module has in it that somebody may ask for, by what it is for. */
const marks = {
  'the metrics': 'x509_cert_not_after',
  'the plugin line': 'KUBEPKI ${',
  templates: 'node_modules/json-p3',
  'a progress line': 'node_modules/ora',
  'the configuration schema': 'node_modules/zod',
  'the API client': 'node_modules/@kubernetes',
} as const;

const nobodyThere = `current-context: here
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]
contexts: [{name: here, context: {cluster: c, user: u}}]
users: [{name: u, user: {token: x}}]
`;

test('what a command does not use is not loaded', (t) => {
  const strace = judge(t, 'strace');
  if (strace === undefined) return;
  const trace = join(temporaryDirectory(t), 'trace');
  const loaded = (...args: string[]): string[] => {
    const command = [...kubepkiCommand, 'certs', 'check-expiration', ...args];
    const node = ['--rootfs', fixturePath('ipv6', ''), '--at', '2027-01-01T00:00:00Z'];
    execFileSync(strace, ['-f', '-e', 'trace=open,openat', '-o', trace, ...command, ...node], {
      stdio: 'ignore',
    });
    const paths = readFileSync(trace, 'utf8').matchAll(/"([^"]*\/dist\/[^"]+\.js)"/g);
    const code = [...new Set([...paths].map(([, path = '']) => path))].map((path) =>
      readFileSync(path, 'utf8'),
    );
    assert.ok(code.length > 10);
    return Object.entries(marks)
      .filter(([, mark]) => code.some((text) => text.includes(mark)))
      .map(([what]) => what);
  };
  const loaded = (...args: string[]): string[] =>
    loadedBy('check-expiration', '--at', '2027-01-01T00:00:00Z', ...args);
  assert.deepEqual(loaded(), []);
  assert.deepEqual(loaded('-o', 'json'), []);
  assert.deepEqual(loaded('-o', 'prometheus'), ['the metrics']);
  assert.deepEqual(loaded('-o', 'nagios'), ['the plugin line']);
  assert.deepEqual(loaded('-o', 'jsonpath={.kind}'), ['templates']);
  const kubeconfig = join(temporaryDirectory(t), 'kubeconfig');
  writeFileSync(kubeconfig, nobodyThere);
  assert.deepEqual(loaded('-o', 'json', '--kubeconfig', kubeconfig, '--offline'), []);
  // Not below the root: relative to where the test runs.
  const asking = ['-o', 'json', '--kubeconfig', relative(process.cwd(), kubeconfig)];
  assert.deepEqual(loaded(...asking), ['the configuration schema', 'the API client']);
});
