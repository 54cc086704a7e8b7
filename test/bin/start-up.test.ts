import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  'the configuration schema': 'ZodError',
  'making requests': 'renew --csr-only',
  'the API client': '/configmaps/kubeadm-config',
  'tables for people': 'wrapOnWordBoundary',
} as const;

const nobodyThere = `current-context: here
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]
contexts: [{name: here, context: {cluster: c, user: u}}]
users: [{name: u, user: {token: x}}]
`;

/** Of V8's coverage: the first range of a function is all of it. */
interface Script {
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly [
      { readonly startOffset: number; readonly endOffset: number; readonly count: number },
    ];
  }[];
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const bundleFile = join(root, 'dist/kubepki.cjs');
const look = ['certs', 'check-expiration', '--at', '2027-01-01T00:00:00Z'];

suite('what a start costs', () => {
  test('what a command does not use does not run', (t) => {
    const bundle = readFileSync(bundleFile, 'utf8');
    const coverage = join(temporaryDirectory(t), 'coverage');
    const ranBy = (...args: string[]): string[] => {
      rmSync(coverage, { recursive: true, force: true });
      execFileSync(process.execPath, [kubepkiBin, ...args, '--rootfs', fixturePath('ipv6', '')], {
        stdio: 'ignore',
        env: { PATH: process.env['PATH'], NODE_V8_COVERAGE: coverage },
      });
      const scripts = readdirSync(coverage).flatMap((name) => {
        const { result } = JSON.parse(readFileSync(join(coverage, name), 'utf8')) as { result: Script[] };
        return result.filter(({ url }) => url.endsWith('/dist/kubepki.cjs'));
      });
      assert.equal(scripts.length, 1);
      const functions = scripts
        .flatMap((script) => script.functions.map(({ ranges: [whole] }) => whole))
        .sort((a, b) => b.endOffset - b.startOffset - (a.endOffset - a.startOffset));
      const names = Object.entries(marks).filter(([, mark]) => {
        const at = bundle.indexOf(mark);
        assert.ok(at > 0, mark);
        // The script, the function that all of it is, and then a module, or a function that esbuild has taken out of one.
        const part = functions.filter(({ startOffset, endOffset }) => startOffset <= at && at < endOffset)[2];
        return (part?.count ?? 0) > 0;
      });
      return names.map(([name]) => name);
    };
    assert.deepEqual(ranBy(...look), []);
    assert.deepEqual(ranBy(...look, '-o', 'json'), []);
    assert.deepEqual(ranBy(...look, '-o', 'prometheus'), ['the metrics']);
    assert.deepEqual(ranBy(...look, '-o', 'nagios'), ['the plugin line']);
    assert.deepEqual(ranBy(...look, '-o', 'jsonpath={.kind}'), ['templates']);
    const kubeconfig = join(temporaryDirectory(t), 'kubeconfig');
    writeFileSync(kubeconfig, nobodyThere);
    assert.deepEqual(ranBy(...look, '--kubeconfig', kubeconfig, '--offline'), []);
    // Not below the root: relative to where the test runs.
    assert.deepEqual(ranBy(...look, '--kubeconfig', relative(process.cwd(), kubeconfig)), [
      'the configuration schema',
      'the API client',
    ]);
  });

  test('the code cache is used', (t) => {
    const preload = join(temporaryDirectory(t), 'script.cjs');
    writeFileSync(
      preload,
      `const vm = require('node:vm');
       const { Script } = vm;
       vm.Script = class extends Script {
         constructor(...args) {
           super(...args);
           require('node:fs').writeSync(3, String(this.cachedDataRejected));
         }
       };`,
    );
    const { output, status } = spawnSync(process.execPath, ['--require', preload, kubepkiBin, '--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'] },
    });
    // undefined: none was offered.
    assert.deepEqual([status, output[3]], [0, 'false']);
  });

  test('a code cache that is missing, of another bundle or spoilt costs time and nothing else', (t) => {
    const copy = join(temporaryDirectory(t), 'copy');
    for (const name of ['bin/kubepki.js', 'bin/package.json', 'package.json'])
      cpSync(join(root, name), join(copy, name));
    mkdirSync(join(copy, 'dist'));
    const bundle = join(copy, 'dist/kubepki.cjs');
    cpSync(bundleFile, bundle);
    const words = [join(copy, 'bin/kubepki.js'), ...look, '--rootfs', fixturePath('ipv6', '')];
    const run = (): string => execFileSync(process.execPath, words, { encoding: 'utf8' });
    const wanted = run();
    assert.match(wanted, /^CERTIFICATE /);
    const whole = readFileSync(`${bundleFile}.cache`);
    const spoiltAt = (at: number): Buffer => Buffer.from(whole).fill(0x55, at, at + 400);
    for (const bytes of [
      whole,
      Buffer.alloc(0),
      whole.subarray(0, 20),
      whole.subarray(0, 1000),
      whole.subarray(0, -1),
      Buffer.alloc(5000, 7),
      spoiltAt(0),
      spoiltAt(5_000),
      spoiltAt(whole.length - 400),
    ]) {
      writeFileSync(`${bundle}.cache`, bytes);
      assert.equal(run(), wanted);
    }
    writeFileSync(`${bundle}.cache`, whole);
    // Of the same length, which is all that V8 looks at.
    writeFileSync(bundle, readFileSync(bundle, 'utf8').replaceAll('RESIDUAL TIME', 'RESIDUAL TIM3'));
    assert.match(run(), / RESIDUAL TIM3 /);
  });
});
