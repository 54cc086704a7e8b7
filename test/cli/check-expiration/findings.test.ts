import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { certsInProcess as certs, kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { makeCa, resign } from '../../support/certificates/resigned.ts';
import { copyFixture, temporaryDirectory, type Tree } from '../../support/tree.ts';

const at = ['--at', '2027-01-01T00:00:00Z'];
const dates = { start: '20260101000000Z', end: '20280101000000Z' };

/** A node whose apiserver.crt another CA of the same name has signed. */
function foreignTree(t: TestContext): Tree | undefined {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return undefined;
  const tree = copyFixture(t, 'ipv6');
  const stranger = join(temporaryDirectory(t), 'ca');
  makeCa(openssl, stranger, 'kubernetes');
  resign(openssl, join(tree.certDir, 'apiserver'), { by: stranger, ...dates });
  return tree;
}

const warning =
  /^warning: \S+\/pki\/apiserver\.crt: is not signed by the CA of \S+\/pki\/ca\.crt\nhint: put the CA certificate in place that signed it, or have it signed by this one: kubepki certs renew apiserver --force --rootfs \S+\n/;

describe('what is wrong beside the dates', () => {
  for (const output of ['text', 'json', 'yaml'] as const) {
    test(`plain check-expiration -o ${output}: kubeadm's stdout and exit code, and a warning`, async (t) => {
      const tree = foreignTree(t);
      if (tree === undefined) return;
      const { code, stdout, stderr } = await certs(tree, 'check-expiration', ...at, '-o', output);
      assert.equal(code, 0);
      assert.match(stderr, warning);
      assert.doesNotMatch(stdout, /!|signed/);
      assert.match(
        stdout,
        output === 'text'
          ? /^apiserver +Jan 01, 2028 00:00 UTC {3}365d +ca +no {6}$/m
          : /2028-01-01T00:00:00Z/,
      );
    });
  }

  test('--within, --textfile, prometheus, nagios', async (t) => {
    const tree = foreignTree(t);
    if (tree === undefined) return;
    const within = await certs(
      tree,
      'check-expiration',
      ...at,
      '--within',
      '30d',
      '--textfile',
      '/kubepki.prom',
    );
    assert.equal(within.code, 5);
    assert.match(within.stderr, warning);
    // Once.
    assert.equal(within.stderr.match(/is not signed by/g)?.length, 1);
    const { stdout } = await certs(tree, 'check-expiration', ...at, '-o', 'prometheus');
    for (const metrics of [stdout, readFileSync(join(tree.directory, 'kubepki.prom'), 'utf8')]) {
      const errors = [...metrics.matchAll(/^x509_cert_error\{name="([^"]+)".* (\d)$/gm)];
      assert.equal(errors.length, 13);
      assert.deepEqual(
        errors.filter(([, , value]) => value === '1').map(([, name]) => name),
        ['apiserver'],
      );
    }
    const nagios = await certs(tree, 'check-expiration', ...at, '-o', 'nagios');
    assert.equal(nagios.code, 2);
    assert.match(nagios.stdout, /^KUBEPKI CRITICAL - apiserver is not signed by the CA of \S+ca\.crt \| /);
  });

  test('several trees: said of each, in the document too; --within is 5', async (t) => {
    const tree = foreignTree(t);
    if (tree === undefined) return;
    const sound = copyFixture(t, 'ipv6');
    const args = ['certs', 'check-expiration', '--rootfs', sound.directory, tree.directory, ...at];
    const { code, stdout, stderr } = await kubepki([...args, '-o', 'json']);
    assert.equal(code, 0);
    assert.match(stderr, /^warning: \S+apiserver\.crt: is not signed by /);
    const { items } = JSON.parse(stdout) as {
      items: { findings: { name: string; check: string; severity: string }[] }[];
    };
    assert.deepEqual(
      items.map(({ findings }) => findings.map(({ name, check, severity }) => [name, check, severity])),
      [[], [['apiserver', 'foreign', 'error']]],
    );
    assert.equal((await kubepki([...args, '--within', '30d'])).code, 5);
    assert.equal((await kubepki([...args, '-o', 'nagios'])).code, 2);
  });

  test('with the clock at 1970 each certificate is said once; a hint is given once for all that follow one another', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    const { stderr } = await certs(tree, 'check-expiration', '--at', '1970-01-01T00:00:00Z');
    assert.equal(stderr.match(/ is not valid before /g)?.length, 13);
    assert.match(stderr, /\nhint: check this machine's clock\n$/);
    assert.equal(
      (await certs(tree, 'check-expiration', '--at', '1970-01-01T00:00:00Z', '--within', '30d')).code,
      5,
    );
  });

  test("a CA's file of two: the row, --within and the metrics are of the one in use, the other has a metric of its own", async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = copyFixture(t, 'ipv6');
    const pki = (name: string): string => join(tree.certDir, name);
    // In use, and ending in 10 days.
    resign(openssl, pki('ca'), {
      ...{ by: pki('ca'), start: '20260101000000Z', end: '20270111000000Z' },
      extensions: 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign',
    });
    const fresh = join(temporaryDirectory(t), 'ca');
    makeCa(openssl, fresh, 'kubernetes');
    writeFileSync(pki('ca.crt'), Buffer.concat([readFileSync(`${fresh}.crt`), readFileSync(pki('ca.crt'))]));
    for (const flags of [[], ['--certs-only']]) {
      const run = await certs(tree, 'check-expiration', ...at, '--within', '30d', ...flags);
      assert.deepEqual([run.code, run.stderr], [4, 'warning: expiring within 30d: ca (10d)\n']);
      assert.match(run.stdout, /^ca +Jan 11, 2027 00:00 UTC +10d +no/m);
    }
    const { stdout } = await certs(tree, 'check-expiration', ...at, '-o', 'prometheus');
    const ends = [...stdout.matchAll(/^x509_cert_not_after\{name="ca",.*\} (\d+)$/gm)];
    assert.equal(ends.length, 2);
    assert.equal(ends.filter(([line]) => line.includes('block="1"')).length, 1);
    assert.equal(ends.find(([line]) => !line.includes('block='))?.[1], String(Date.UTC(2027, 0, 11) / 1000));
    const promtool = judge(t, 'promtool');
    assert.equal(promtool === undefined, false);
  });

  test('a leaf in the place of ca.crt: exit 1, as kubeadm', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    copyFileSync(join(tree.certDir, 'front-proxy-client.crt'), join(tree.certDir, 'ca.crt'));
    const { code, stdout, stderr } = await certs(tree, 'check-expiration', ...at);
    assert.equal(code, 1);
    assert.match(stdout, /^ca /m);
    assert.match(
      stderr,
      /^error: \S+\/ca\.crt: is not a CA certificate \(basicConstraints lacks CA:TRUE\)\nhint: /m,
    );
  });

  test('a copy without keys, looked at from elsewhere', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    const names = ['apiserver', 'apiserver-kubelet-client', 'etcd/server', 'ca', 'front-proxy-ca'];
    for (const name of names) rmSync(join(tree.certDir, `${name}.key`));
    const copy = await certs(tree, 'check-expiration', ...at, '--within', '30d', '--certs-only');
    assert.deepEqual([copy.code, copy.stderr], [0, '']);
    const whole = await certs(tree, 'check-expiration', ...at, '--within', '30d');
    assert.equal(whole.code, 5);
    assert.match(whole.stderr, /etcd\/server\.key: no such file/);
  });

  test('what the configuration of an external etcd names is looked at', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = copyFixture(t, 'external-etcd');
    const client = join(tree.directory, 'etc/etcd/client');
    const config = ['--config', '/kubeadm.yaml'];
    assert.equal((await certs(tree, 'check-expiration', ...at, '--within', '30d', ...config)).code, 0);
    resign(openssl, client, {
      ...{ by: join(tree.directory, 'etc/etcd/ca'), start: '20200101000000Z', end: '20210101000000Z' },
      extensions: 'extendedKeyUsage=clientAuth',
    });
    const plain = await certs(tree, 'check-expiration', ...at, ...config);
    assert.deepEqual([plain.code, plain.stdout.includes('etcd')], [0, false]);
    assert.match(
      plain.stderr,
      /^warning: \S+\/etc\/etcd\/client\.crt: expired on 2021-01-01T00:00:00Z\nhint: /,
    );
    assert.equal((await certs(tree, 'check-expiration', ...at, '--within', '30d', ...config)).code, 5);
    const { stdout } = await certs(tree, 'check-expiration', ...at, ...config, '-o', 'prometheus');
    assert.match(
      stdout,
      /^x509_cert_expired\{name="apiserver-etcd-client",filename="client.crt",filepath="\/etc\/etcd\/client.crt",.*\} 1$/m,
    );
  });
});

describe('check-expiration --quiet', () => {
  test('what only the rows tell is said, as they are not shown', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    const silent = await certs(tree, 'check-expiration', ...at, '--quiet');
    assert.deepEqual([silent.code, silent.stdout, silent.stderr], [0, '', '']);
    rmSync(join(tree.certDir, 'apiserver.crt'));
    const missing = await certs(tree, 'check-expiration', ...at, '--quiet');
    assert.deepEqual(
      [missing.code, missing.stdout, missing.stderr],
      [0, '', 'warning: apiserver is missing\n'],
    );
    const trees = await kubepki([
      ...['certs', 'check-expiration', '--rootfs', tree.directory, copyFixture(t, 'ipv6').directory],
      ...[...at, '--quiet'],
    ]);
    assert.deepEqual(
      [trees.code, trees.stdout, trees.stderr],
      [0, '', `warning: ${tree.directory}: apiserver is missing\n`],
    );
  });
});

describe('renew of what stays wrong', () => {
  test('usages that a renewal carries over are told of; with --within the exit code is 5', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = copyFixture(t, 'ipv6');
    resign(openssl, join(tree.certDir, 'front-proxy-client'), {
      ...{ by: join(tree.certDir, 'front-proxy-ca'), start: '20200101000000Z', end: '20210101000000Z' },
      extensions: 'extendedKeyUsage=serverAuth',
    });
    for (const [flags, code] of [
      [['--dry-run'], 0],
      [['--within', '30d', '--dry-run'], 5],
      [['--within', '30d'], 5],
    ] as const) {
      const run = await certs(tree, 'renew', 'front-proxy-client', ...flags);
      assert.equal(run.code, code, run.stderr);
      assert.match(
        run.stderr,
        /^warning: \S+\/front-proxy-client\.crt: lacks the extended key usage clientAuth\nhint: .* kubepki certs generate front-proxy-client /m,
      );
    }
  });
});
