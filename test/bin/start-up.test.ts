import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
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
  'the configuration schema': 'ZodError',
  'making requests': 'renew --csr-only',
  'a YAML parser': 'BAD_DQ_ESCAPE',
  'an ASN.1 library': 'Too few bytes to read ASN.1 value.',
  colours: 'ansi256',
  'tables for people': 'wrapOnWordBoundary',
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

const bundleFile = fileURLToPath(new URL('../../dist/kubepki.cjs', import.meta.url));

/** The two scripts of the bundle. */
function scriptsOf(bundle: string): readonly [start: string, rest: string] {
  const length = Number(/^\/\*[0-9a-f]{64} (\d{11})\*\//.exec(bundle)?.[1]);
  assert.ok(length > 1000 && length < bundle.length);
  return [bundle.slice(0, length), bundle.slice(length)];
}

suite('what a start costs', () => {
  test('what a command does not use does not run', (t) => {
    const coverage = join(temporaryDirectory(t), 'coverage');
    const [start, rest] = scriptsOf(readFileSync(bundleFile, 'latin1'));
    for (const [what, mark] of Object.entries(marks)) {
      assert.ok(!start.includes(mark), `every start reads ${what}`);
      assert.ok(rest.includes(mark), mark);
    }
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
      const bundle = found.filter(({ url }) => url.endsWith('/dist/kubepki.cjs'));
      const lengths = bundle.map(({ functions }) => functions[0]?.ranges[0].endOffset);
      assert.ok(lengths.includes(start.length));
      // A part of the second script is a function that is called by the name of its file.
      const parts = bundle.filter((_script, index) => lengths[index] === rest.length);
      assert.equal(parts.length, bundle.length - 1);
      const ran = parts
        .flatMap(({ functions }) => functions)
        .filter(({ functionName, ranges: [{ count }] }) => functionName.startsWith('./') && count > 0)
        .map(({ ranges: [{ startOffset, endOffset }] }) => rest.slice(startOffset, endOffset));
      assert.equal(ran.length > 0, parts.length > 0);
      const asked = Object.entries(marks).filter(([, mark]) => ran.some((code) => code.includes(mark)));
      const isClientThere = found.some(({ url }) => url.endsWith('/dist/kubernetes-client.cjs'));
      const others = parts.length > 0 && asked.length === 0 ? ['something of the second script'] : [];
      return [...asked.map(([what]) => what), ...others, ...(isClientThere ? [client] : [])];
    };
    const loaded = (...args: string[]): string[] =>
      loadedBy('check-expiration', '--at', '2027-01-01T00:00:00Z', ...args);
    assert.deepEqual(loaded(), []);
    assert.deepEqual(loaded('-o', 'prometheus'), ['the metrics']);
    assert.deepEqual(loaded('-o', 'nagios'), ['the plugin line']);
    assert.deepEqual(loaded('-o', 'jsonpath={.kind}'), ['templates']);
    const second = ['something of the second script'];
    assert.deepEqual(loaded('-o', 'json'), second);
    const kubeconfig = join(temporaryDirectory(t), 'kubeconfig');
    writeFileSync(kubeconfig, nobodyThere);
    assert.deepEqual(loaded('-o', 'json', '--kubeconfig', kubeconfig, '--offline'), second);
    // Not below the root: relative to where the test runs.
    const asking = ['-o', 'json', '--kubeconfig', relative(process.cwd(), kubeconfig)];
    assert.deepEqual(loaded(...asking), ['the configuration schema', 'a YAML parser', client]);
  });

  test("a look at the files loads nothing of node's own that is large", (t) => {
    const preload = join(temporaryDirectory(t), 'modules.cjs');
    writeFileSync(
      preload,
      "process.on('exit', () => { require('node:fs').writeSync(3, process.moduleLoadList.join()); });",
    );
    const loadedBy = (line: string, ...args: string[]): readonly string[] => {
      const words = [process.execPath, '--require', preload, kubepkiBin, ...args];
      const { output, status } = spawnSync('/bin/sh', ['-c', line, 'sh', ...words], {
        encoding: 'utf8',
        stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
        env: { PATH: process.env['PATH'] },
      });
      assert.equal(status, 0);
      return (output[3] ?? '').split(',');
    };
    // Signatures are verified with crypto, and crypto takes streams along.
    const large = ['tty', 'net', 'child_process', 'os'].map((name) => `NativeModule ${name}`);
    const look = ['certs', 'check-expiration', '--rootfs'];
    const file = join(temporaryDirectory(t), 'table');
    for (const [role, line] of [
      ['stacked-etcd-rsa', '"$@"'],
      ['stacked-etcd-ecdsa', '"$@"'],
      ['stacked-etcd-rsa', '"$@" | cat'],
      ['stacked-etcd-rsa', `"$@" >${file}`],
    ] as const) {
      const loaded = loadedBy(line, ...look, fixturePath(role, ''));
      assert.deepEqual(
        large.filter((name) => loaded.includes(name)),
        [],
      );
    }
    // Were they there, they would be seen.
    const renew = ['certs', 'renew', 'all', '--dry-run', '--rootfs', fixturePath('ipv6', '')];
    const renewal = loadedBy('"$@"', ...renew);
    assert.ok(renewal.includes('NativeModule child_process'));
  });

  test('the code caches are used', (t) => {
    const preload = join(temporaryDirectory(t), 'scripts.cjs');
    writeFileSync(
      preload,
      `const vm = require('node:vm');
       const { Script } = vm;
       vm.Script = class extends Script {
         constructor(...args) {
           super(...args);
           require('node:fs').writeSync(3, String(this.cachedDataRejected) + ' ');
         }
       };`,
    );
    const look = ['certs', 'check-expiration', '-o', 'json', '--rootfs', fixturePath('ipv6', '')];
    const { output, status } = spawnSync(process.execPath, ['--require', preload, kubepkiBin, ...look], {
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'] },
    });
    // Of the first script and of the second; undefined: none was offered.
    assert.deepEqual([status, output[3]], [0, 'false false ']);
  });

  test('a code cache that is missing, of another file or spoilt costs time and nothing else', (t) => {
    const copy = join(temporaryDirectory(t), 'copy');
    const root = fileURLToPath(new URL('../..', import.meta.url));
    for (const name of ['bin', 'package.json'])
      cpSync(join(root, name), join(copy, name), { recursive: true });
    mkdirSync(join(copy, 'dist'));
    const caches = ['start', 'rest'].map((script) => `kubepki.cjs.${script}.cache`);
    for (const name of ['kubepki.cjs', ...caches]) cpSync(join(root, 'dist', name), join(copy, 'dist', name));
    const run = (): string =>
      execFileSync(
        process.execPath,
        // What it says of json is in the second script.
        [
          join(copy, 'bin/kubepki.js'),
          ...['certs', 'check-expiration', '--at', '2027-01-01T00:00:00Z', '-o', 'json'],
          ...['--rootfs', fixturePath('ipv6', '')],
        ],
        { encoding: 'utf8' },
      );
    const wanted = run();
    assert.match(wanted, /CertificateExpirationInfo/);
    for (const name of caches) {
      const cache = join(copy, 'dist', name);
      const whole = readFileSync(cache);
      const spoilt = Buffer.from(whole);
      spoilt.fill(0x55, 5_000, 5_400);
      const secondSpoilt = Buffer.from(whole);
      secondSpoilt.fill(0x55, whole.length - 400);
      for (const bytes of [
        Buffer.alloc(0),
        whole.subarray(0, 1000),
        whole.subarray(0, -1),
        whole.subarray(0, -2),
        Buffer.alloc(5000, 7),
        spoilt,
        secondSpoilt,
      ]) {
        writeFileSync(cache, bytes);
        assert.equal(run(), wanted);
      }
      renameSync(cache, `${cache}.away`);
      assert.equal(run(), wanted);
      writeFileSync(cache, whole);
    }
    assert.equal(run(), wanted);
    writeFileSync(
      join(copy, 'dist/kubepki.cjs'),
      `${readFileSync(join(copy, 'dist/kubepki.cjs'), 'latin1')}\n`,
    );
    assert.equal(run(), wanted);
  });
});
