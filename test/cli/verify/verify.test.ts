import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { checks } from '../../../src/operations/verification/checks.ts';
import { judge } from '../../support/judge.ts';
import { kubepki, type Outcome } from '../../support/kubepki.ts';
import { holdLock, lockFile } from '../../support/machine/lock-holder.ts';
import { unprivileged } from '../../support/machine/unprivileged.ts';
import { edit, verifiedNode } from '../../support/planners/verified-node.ts';
import { freePorts } from '../../support/servers/free-ports.ts';
import { temporaryDirectory, type Tree } from '../../support/tree.ts';

const at = ['--at', '2026-12-01T00:00:00Z'];

function verify(tree: Tree, ...args: readonly string[]): Promise<Outcome> {
  return kubepki(['verify', '--rootfs', tree.directory, ...at, ...args]);
}

/** A node whose sa.pub is another cluster's. */
function brokenNode(t: TestContext): Tree {
  const tree = verifiedNode(t);
  const pki = (name: string): string => join(tree.certDir, name);
  writeFileSync(pki('sa.pub'), execFileSync('openssl', ['pkey', '-in', pki('ca.key'), '-pubout']));
  return tree;
}

describe('kubepki verify says', () => {
  test('that all is well, a line for each check, and ends with 0', async (t) => {
    const { stdout, stderr, code } = await verify(verifiedNode(t));
    assert.deepEqual([stderr, code], ['', 0]);
    const lines = stdout.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => line.split(/ +/)[1]),
      checks.map(({ id }) => id),
    );
    assert.ok(lines.every((line) => /^(?:OK|-) /.test(line)));
  });

  test('what is wrong with its file and the next step, and ends with 5', async (t) => {
    if (judge(t, 'openssl') === undefined) return;
    const tree = brokenNode(t);
    const { stdout, code } = await verify(tree);
    assert.equal(code, 5);
    const [line] = stdout.split('\n').filter((one) => one.startsWith('ERROR'));
    assert.match(line ?? '', /^ERROR +service-account +\S+\/sa\.pub: is not the public key of \S+\/sa\.key/);
    assert.match(line ?? '', /; next: put sa\.key and sa\.pub of this cluster in place/);
  });

  test('that something ends soon, and ends with 4', async (t) => {
    const { stdout, code } = await kubepki([
      ...['verify', '--rootfs', verifiedNode(t).directory],
      ...['--at', '2027-11-12T00:00:00Z'],
    ]);
    assert.equal(code, 4);
    assert.match(stdout, /^WARNING +ends-soon +\S+\/apiserver\.crt: ends on 2027-11-28T20:49:56Z, in 16d/m);
  });

  test('that it has not looked at what it may not read, and ends with 1', (t) => {
    const tree = verifiedNode(t);
    const setpriv = judge(t, 'setpriv');
    if (setpriv === undefined) return;
    chmodSync(tree.directory, 0o755);
    if (process.getuid?.() !== 0) chmodSync(join(tree.certDir, 'apiserver.key'), 0o000);
    const { stdout, code } = unprivileged(t, setpriv, ['verify', '--rootfs', tree.directory, ...at]);
    assert.equal(code, 1);
    assert.match(stdout, /^UNCHECKED +key-locked /m);
    if (process.getuid?.() === 0) assert.match(stdout, /^UNCHECKED +unreadable +\S+\/admin\.conf: /m);
    assert.doesNotMatch(stdout, /^ERROR/m);
  });

  test('why there is nothing to look at, and ends with 1', async (t) => {
    const { stderr, code } = await kubepki(['verify', '--rootfs', temporaryDirectory(t)]);
    assert.equal(code, 1);
    assert.match(stderr, /^error: \S+\/etc\/kubernetes\/pki: no such directory\n/);
  });
});

describe('as a document', () => {
  test('each check has its status, and each finding its next step', async (t) => {
    if (judge(t, 'openssl') === undefined) return;
    const { stdout, code } = await verify(brokenNode(t), '-o', 'json');
    assert.equal(code, 5);
    const document = JSON.parse(stdout) as {
      kind: string;
      verdict: string;
      time: string;
      checks: { id: string; status: string; looked: number; findings: { hint: string | null }[] }[];
    };
    assert.deepEqual(
      [document.kind, document.verdict, document.time],
      ['NodeVerification', 'wrong', '2026-12-01T00:00:00Z'],
    );
    assert.deepEqual(
      document.checks.map(({ id }) => id),
      checks.map(({ id }) => id),
    );
    const pair = document.checks.find(({ id }) => id === 'service-account');
    assert.deepEqual([pair?.status, pair?.looked, pair?.findings.length], ['error', 1, 1]);
    assert.equal(document.checks.find(({ id }) => id === 'cis')?.status, 'not-asked');
  });

  test('of several trees it is a list, and the worst decides', async (t) => {
    const [well, lost] = [verifiedNode(t), temporaryDirectory(t)];
    const { stdout, code } = await kubepki([
      ...['verify', '--rootfs', well.directory, '--rootfs', lost, '-o', 'json', ...at],
    ]);
    assert.equal(code, 5);
    const { kind, items } = JSON.parse(stdout) as {
      kind: string;
      items: { node: string; verdict: string; error?: string }[];
    };
    assert.equal(kind, 'NodeVerificationList');
    assert.deepEqual(
      items.map(({ node, verdict }) => [node, verdict]),
      [
        [well.directory, 'well'],
        [lost, 'wrong'],
      ],
    );
    assert.match(items[1]?.error ?? '', /no such directory/);
  });

  test('JUnit counts what it holds, and is XML', async (t) => {
    const xmllint = judge(t, 'xmllint');
    if (xmllint === undefined || judge(t, 'openssl') === undefined) return;
    const { stdout } = await verify(brokenNode(t), '-o', 'junit');
    const path = join(temporaryDirectory(t), 'junit.xml');
    writeFileSync(path, stdout);
    const count = (xpath: string): number =>
      Number(execFileSync(xmllint, ['--xpath', xpath, path], { encoding: 'utf8' }));
    assert.equal(count('count(//testcase)'), checks.length);
    assert.equal(count('number(//testsuite/@tests)'), checks.length);
    assert.equal(count('count(//failure)'), count('number(//testsuite/@failures)'));
    assert.equal(count('count(//skipped)'), count('number(//testsuite/@skipped)'));
    assert.equal(count('count(//error)'), 0);
    execFileSync(xmllint, ['--noout', '--relaxng', schema, path], { stdio: 'pipe' });
  });

  test('GitHub has a line for each finding, its file and its check', async (t) => {
    if (judge(t, 'openssl') === undefined) return;
    const tree = brokenNode(t);
    const { stdout } = await verify(tree, '-o', 'github');
    const [first] = stdout.split('\n');
    assert.ok(
      first?.startsWith(
        `::error file=${join(tree.certDir, 'sa.pub')},title=service-account::is not the public key`,
      ),
    );
  });
});

describe('what an earlier run has left', () => {
  test('is an error, and while another run is at work it is not known', async (t) => {
    const tree = verifiedNode(t);
    const lock = lockFile(tree);
    writeFileSync(join(tree.certDir, '.kubepki/journal.json'), '{}', { mode: 0o600 });
    const left = await verify(tree);
    assert.equal(left.code, 5);
    assert.match(
      left.stdout,
      /^ERROR +waiting .*stopped half-way.*next: go on with it: kubepki certs recover/m,
    );
    const holder = await holdLock(t, lock);
    if (holder === undefined) return;
    const busy = await verify(tree);
    assert.equal(busy.code, 1);
    assert.match(busy.stdout, /^UNCHECKED +waiting .*another run is changing these files/m);
  });
});

describe('a name that would draw on the terminal', () => {
  test('is shown without that, whatever the form', async (t) => {
    const tree = verifiedNode(t);
    const name = `${temporaryDirectory(t)}/\u001b[31m\u202e`;
    symlinkSync(tree.directory, name);
    rmSync(join(tree.certDir, 'apiserver.key'));
    for (const output of ['text', 'github', 'json', 'junit']) {
      const { stdout } = await kubepki([
        ...['verify', '--rootfs', name, '--rootfs', tree.directory, '-o', output, ...at],
      ]);
      assert.ok(!stdout.includes('\u001b') && !stdout.includes('\u202e'), output);
    }
  });
});

describe('kubepki alone', () => {
  test('says on a node how it is, in one line', async (t) => {
    const { stdout, code } = await kubepki(['--rootfs', verifiedNode(t).directory]);
    assert.equal(code, 0);
    assert.match(stdout, /^all is well: \d+ checks of 14 certificates and CAs\n$/);
  });

  test('says there what is wrong, with the next step', async (t) => {
    const tree = verifiedNode(t);
    rmSync(join(tree.certDir, 'apiserver.key'));
    const { stdout, code } = await kubepki(['--rootfs', tree.directory]);
    assert.equal(code, 5);
    assert.match(stdout, /^2 errors; /);
    assert.match(stdout, /^ERROR {2}\S+\/apiserver\.key: no such file.*\n {2}\S/m);
  });

  test('is an error for a root that was named and has no node', async (t) => {
    const { stdout, stderr, code } = await kubepki(['--rootfs', temporaryDirectory(t)]);
    assert.deepEqual([stdout, code], ['', 1]);
    assert.match(stderr, /^error: \S+: no such directory\n/);
  });

  test('elsewhere shows the help', async () => {
    const { stdout, code } = await kubepki([]);
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: kubepki/);
  });
});

describe('what is served', () => {
  test('is what is on disk, or an older one, or nothing', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = verifiedNode(t);
    const [port = 0, silent = 0] = await freePorts(2);
    const manifest = 'etc/kubernetes/manifests/kube-apiserver.yaml';
    edit(tree, manifest, (text) =>
      text
        .replace('--secure-port=6443', `--secure-port=${String(port)}`)
        .replace(
          '--advertise-address=192.0.2.10',
          '--advertise-address=192.0.2.10\n    - --bind-address=127.0.0.1',
        ),
    );
    for (const name of ['kube-controller-manager', 'kube-scheduler', 'etcd'])
      rmSync(join(tree.kubeconfigDir, 'manifests', `${name}.yaml`));
    rmSync(join(tree.directory, 'var/lib/kubelet/config.yaml'));
    const served = join(temporaryDirectory(t), 'served');
    const pki = (name: string): string => join(tree.certDir, name);
    copyFileSync(pki('apiserver.crt'), `${served}.crt`);
    copyFileSync(pki('apiserver.key'), `${served}.key`);
    await serve(t, openssl, served, port);
    const same = await verify(tree, '--live');
    assert.equal(same.code, 0, same.stdout);
    assert.match(same.stdout, /^OK +live-served +each component serves what is on disk \(1\)$/m);
    const other = await verify(tree, '--endpoint', `127.0.0.1:${String(silent)}`);
    assert.equal(other.code, 1);
    assert.match(other.stdout, /^UNCHECKED +live-answers +127\.0\.0\.1:\d+: .*connection refused/m);
    // Renewed on disk, and not restarted.
    const renewed = await kubepki(['certs', 'renew', 'apiserver', '--rootfs', tree.directory]);
    assert.equal(renewed.code, 0, renewed.stderr);
    const older = await kubepki(['verify', '--live', '--rootfs', tree.directory]);
    assert.equal(older.code, 5);
    assert.match(
      older.stdout,
      /^ERROR +live-served .*kube-apiserver at 127\.0\.0\.1:\d+ serves an older certificate/m,
    );
    assert.ok(older.stdout.includes(`kubepki restart kube-apiserver --rootfs ${tree.directory}`));
  });

  test('of another CA is found', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = verifiedNode(t);
    const [port = 0] = await freePorts(1);
    edit(tree, 'etc/kubernetes/manifests/kube-apiserver.yaml', (text) =>
      text
        .replace('--secure-port=6443', `--secure-port=${String(port)}`)
        .replace(
          '--advertise-address=192.0.2.10',
          '--advertise-address=192.0.2.10\n    - --bind-address=127.0.0.1',
        ),
    );
    await serve(t, openssl, join(tree.certDir, 'etcd/server'), port);
    const { stdout } = await verify(tree, '--live');
    assert.match(stdout, /^ERROR +live-served /m);
    assert.match(
      stdout,
      /^ERROR +live-valid +127\.0\.0\.1:\d+: kube-apiserver serves a certificate that is not signed by the CA of \S+\/ca\.crt/m,
    );
  });

  test('is asked of one node alone', async (t) => {
    const tree = verifiedNode(t);
    const { stderr, code } = await kubepki([
      ...['verify', '--live', '--rootfs', tree.directory, '--rootfs', tree.directory],
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /^error: --live and --endpoint do not go with several trees\n/);
  });

  test('at an address that is none is a usage error', async () => {
    const { stderr, code } = await kubepki(['verify', '--endpoint', 'example.com']);
    assert.equal(code, 1);
    assert.match(stderr, /use HOST:PORT/);
  });
});

test('every check is in the page about them', () => {
  const page = readFileSync(new URL('../../../docs/verification.md', import.meta.url), 'utf8');
  for (const { id } of checks) assert.ok(page.includes(`\`${id}\``), id);
});

test('nothing is written', async (t) => {
  const tree = verifiedNode(t);
  const listing = (): string =>
    execFileSync('find', [tree.directory, '-printf', '%p %m %s %T@\n'], { encoding: 'utf8' });
  const before = listing();
  await verify(tree);
  await verify(tree, '-o', 'json', '--cis');
  assert.equal(listing(), before);
});

const schema = new URL('junit.rng', import.meta.url).pathname;

/** A TLS server of openssl's that shows this certificate until the test ends. */
async function serve(t: TestContext, openssl: string, pair: string, port: number): Promise<void> {
  const server = spawn(
    openssl,
    [
      's_server',
      '-www',
      '-accept',
      `127.0.0.1:${String(port)}`,
      '-cert',
      `${pair}.crt`,
      '-key',
      `${pair}.key`,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  t.after(() => {
    server.kill();
  });
  await once(server.stdout, 'data');
}
