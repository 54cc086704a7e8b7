import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { kubepkiBin } from '../support/kubepki.ts';
import { fixturePath, temporaryDirectory } from '../support/tree.ts';

/** What only the part has in it that somebody may ask for, by what it is for. */
const marks = {
  'the metrics': 'x509_cert_not_after',
  'the plugin line': 'KUBEPKI ${',
  templates: 'JSONPathSyntaxError',
  'a progress line': 'bouncingBall',
  'the configuration schema': 'ZodError',
  'making requests': 'renew --csr-only',
} as const;
const client = 'the API client';

const nobodyThere = `current-context: here
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]
contexts: [{name: here, context: {cluster: c, user: u}}]
users: [{name: u, user: {token: x}}]
`;

interface Script {
  readonly url: string;
  readonly functions: readonly {
    readonly functionName: string;
    readonly ranges: readonly [
      { readonly startOffset: number; readonly endOffset: number; readonly count: number },
    ];
  }[];
}

suite('what a start costs', () => {
  test('what a command does not use does not run', (t) => {
    const coverage = join(temporaryDirectory(t), 'coverage');
    const scripts = (): readonly Script[] =>
      readdirSync(coverage).flatMap((name) => {
        const { result } = JSON.parse(readFileSync(join(coverage, name), 'utf8')) as { result: Script[] };
        return result;
      });
    const loadedBy = (...args: string[]): string[] => {
      rmSync(coverage, { recursive: true, force: true });
      execFileSync(process.execPath, [kubepkiBin, 'certs', ...args, '--rootfs', fixturePath('ipv6', '')], {
        stdio: 'ignore',
        env: { PATH: process.env['PATH'], NODE_V8_COVERAGE: coverage },
      });
      const found = scripts();
      const bundle = found.find(({ url }) => url.endsWith('/dist/kubepki.cjs'));
      assert.ok(bundle !== undefined);
      const text = readFileSync(fileURLToPath(bundle.url), 'latin1');
      // A part is a function that is called by the name of its file.
      const ran = bundle.functions
        .filter(({ functionName, ranges: [{ count }] }) => functionName.startsWith('./') && count > 0)
        .map(({ ranges: [{ startOffset, endOffset }] }) => text.slice(startOffset, endOffset));
      assert.ok(ran.length > 10);
      const asked = Object.entries(marks).filter(([, mark]) => ran.some((code) => code.includes(mark)));
      const isClientThere = found.some(({ url }) => url.endsWith('/dist/kubernetes-client.cjs'));
      return [...asked.map(([what]) => what), ...(isClientThere ? [client] : [])];
    };
    const text = readFileSync(fileURLToPath(new URL('../../dist/kubepki.cjs', import.meta.url)), 'latin1');
    for (const mark of Object.values(marks)) assert.ok(text.includes(mark), mark);
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
    assert.deepEqual(loaded(...asking), ['the configuration schema', client]);
  });

  test('a code cache that is missing, of another file or spoilt costs time and nothing else', (t) => {
    const copy = join(temporaryDirectory(t), 'copy');
    const root = fileURLToPath(new URL('../..', import.meta.url));
    for (const name of ['bin', 'package.json'])
      cpSync(join(root, name), join(copy, name), { recursive: true });
    mkdirSync(join(copy, 'dist'));
    for (const name of ['kubepki.cjs', 'kubepki.cjs.cache'])
      cpSync(join(root, 'dist', name), join(copy, 'dist', name));
    const cache = join(copy, 'dist/kubepki.cjs.cache');
    const whole = readFileSync(cache);
    const run = (): string =>
      execFileSync(
        process.execPath,
        [join(copy, 'bin/kubepki.js'), 'certs', 'check-expiration', '--rootfs', fixturePath('ipv6', '')],
        { encoding: 'utf8' },
      );
    const wanted = run();
    assert.match(wanted, /^CERTIFICATE /);
    const spoilt = Buffer.from(whole);
    spoilt.fill(0x55, 20_000, 20_400);
    for (const bytes of [
      Buffer.alloc(0),
      whole.subarray(0, 1000),
      whole.subarray(0, -1),
      Buffer.alloc(5000, 7),
      spoilt,
    ]) {
      writeFileSync(cache, bytes);
      assert.equal(run(), wanted);
    }
    renameSync(cache, `${cache}.away`);
    assert.equal(run(), wanted);
    writeFileSync(cache, whole);
    writeFileSync(
      join(copy, 'dist/kubepki.cjs'),
      `${readFileSync(join(copy, 'dist/kubepki.cjs'), 'latin1')}\n`,
    );
    assert.equal(run(), wanted);
  });
});
