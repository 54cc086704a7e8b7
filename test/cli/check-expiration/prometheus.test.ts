import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { certificateAuthorities, certificates } from '../../../src/catalog/catalog.ts';
import {
  nodeMetrics,
  parseRenewRuns,
  prometheusTexts,
  type NodeMetrics,
} from '../../../src/render/expiration/prometheus.ts';
import type { Monitored } from '../../../src/operations/expiration/monitored.ts';
import {
  certsInProcess as certs,
  doneInProcess as done,
  kubepkiInProcess as kubepki,
} from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { samplesOf, type Sample } from '../../support/metrics.ts';
import fc from '../../support/properties.ts';
import { copyFixture, fixturePath } from '../../support/tree.ts';

const at = ['--at', '2027-01-01T00:00:00Z'];

/** `promtool check metrics`: what it says is what is wrong. */
function promtoolSays(promtool: string, text: string): string {
  const { stdout, stderr, status } = spawnSync(promtool, ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  return `${stdout}${stderr}${status === 0 ? '' : `exit ${String(status)}`}`;
}

function requireClean(t: TestContext, text: string): boolean {
  const promtool = judge(t, 'promtool');
  if (promtool === undefined) return false;
  assert.equal(promtoolSays(promtool, text), '');
  // The judge can say no.
  assert.notEqual(promtoolSays(promtool, text.replace('# HELP x509_read_errors', '# HALP')), '');
  assert.notEqual(promtoolSays(promtool, `${text}x509_cert_error{name="a} 1\n`), '');
  return true;
}

const find = (samples: readonly Sample[], name: string, certificate: string): Sample | undefined =>
  samples.find((sample) => sample.name === name && sample.labels['name'] === certificate);

describe('-o prometheus', () => {
  for (const role of [
    'stacked-etcd-rsa',
    'missing-leaf',
    'external-ca',
    'custom-subject',
    'kubeconfig-rich',
  ]) {
    test(`promtool finds nothing wrong: ${role}`, async (t) => {
      const outcome = await kubepki([
        'certs',
        'check-expiration',
        ...['--rootfs', fixturePath(role, ''), ...at, '-o', 'prometheus'],
      ]);
      if (!requireClean(t, outcome.stdout)) return;
      assert.ok(samplesOf(outcome.stdout).length > 13);
    });
  }

  test('dates, serial numbers and names are those openssl reads; CAs are in', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    const samples = samplesOf((await done(tree, 'check-expiration', ...at, '-o', 'prometheus')).stdout);
    const specs = [...certificates, ...certificateAuthorities].filter((spec) => spec.kind !== 'kubeconfig');
    for (const { name, baseName } of specs) {
      const file = join(tree.certDir, `${baseName}.crt`);
      const ask = (...args: string[]): string =>
        execFileSync(openssl, ['x509', '-in', file, '-noout', ...args], { encoding: 'utf8' }).trim();
      const date = (flag: string): number =>
        Date.parse(ask(flag, '-dateopt', 'iso_8601').replace(/^\w+=/, '').replace(' ', 'T')) / 1000;
      const after = find(samples, 'x509_cert_not_after', name);
      assert.equal(after?.value, date('-enddate'));
      assert.equal(find(samples, 'x509_cert_not_before', name)?.value, date('-startdate'));
      assert.equal(find(samples, 'x509_cert_expired', name)?.value, 0);
      assert.equal(find(samples, 'x509_cert_error', name)?.value, 0);
      assert.equal(
        after.labels['serial_number'],
        BigInt(`0x${ask('-serial').replace('serial=', '')}`).toString(),
      );
      assert.equal(after.labels['filename'], basename(file));
      assert.equal(after.labels['filepath'], `/etc/kubernetes/pki/${baseName}.crt`);
      const subject = ask('-subject', '-nameopt', 'sep_multiline,sname').split('\n');
      const commonName = subject
        .find((line) => line.trim().startsWith('CN='))
        ?.trim()
        .slice(3);
      assert.equal(after.labels['subject_CN'], commonName);
    }
    const admin = find(samples, 'x509_cert_not_after', 'admin.conf')?.labels;
    assert.deepEqual(
      [admin?.['embedded_kind'], admin?.['embedded_key'], admin?.['subject_O'], admin?.['issuer_CN']],
      ['user', 'kubernetes-admin', 'system:masters', 'kubernetes'],
    );
  });

  test('expired, missing and unreadable can be alerted on', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    rmSync(join(tree.certDir, 'apiserver.crt'));
    writeFileSync(join(tree.certDir, 'etcd/peer.crt'), 'garbage\n');
    const outcome = await certs(tree, 'check-expiration', '--at', '2028-01-01T00:00:00Z', '-o', 'prometheus');
    assert.equal(outcome.code, 1);
    if (!requireClean(t, outcome.stdout)) return;
    const samples = samplesOf(outcome.stdout);
    for (const name of ['apiserver', 'etcd-peer']) {
      assert.equal(find(samples, 'x509_cert_error', name)?.value, 1);
      assert.equal(find(samples, 'x509_cert_not_after', name), undefined);
    }
    assert.equal(find(samples, 'x509_cert_expired', 'etcd-server')?.value, 1);
    assert.equal(find(samples, 'x509_cert_expired', 'etcd-ca')?.value, 0);
    assert.equal(samples.find(({ name }) => name === 'x509_read_errors')?.value, 1);
    assert.equal(find(samples, 'x509_cert_error', 'super-admin.conf'), undefined);
  });
});

/** Of the only one. */
function node(rows: readonly Monitored[]): NodeMetrics {
  return nodeMetrics(undefined, rows, 0);
}

test('a thousand nodes are printed in short pieces', () => {
  const row: Monitored = {
    name: 'apiserver',
    filename: 'apiserver.crt',
    filepath: '/etc/kubernetes/pki/apiserver.crt',
    user: undefined,
    certificate: undefined,
    others: [],
    wrong: true,
  };
  const nodes = Array.from({ length: 1000 }, (_, index) =>
    nodeMetrics(`node-${String(index)}`, Array<Monitored>(14).fill(row), 0),
  );
  const pieces = [...prometheusTexts(nodes, undefined)];
  assert.equal(samplesOf(pieces.join('')).length, 15_000);
  for (const piece of pieces) assert.ok(piece.length < 64 * 1024);
});

test('any label value survives, as promtool and we read it', (t) => {
  const promtool = judge(t, 'promtool');
  if (promtool === undefined) return;
  const row = (text: string): Monitored => ({
    name: text,
    filename: 'x',
    filepath: text,
    user: text,
    certificate: undefined,
    others: [],
    wrong: true,
  });
  const anyText = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom('\\', '"', '\n', 'n', '{', '}', ',') }),
  );
  fc.assert(
    fc.property(anyText, (value) => {
      const samples = samplesOf([...prometheusTexts([node([row(value)])], undefined)].join(''));
      assert.equal(samples[0]?.labels['name'], value);
      assert.equal(samples[0].labels['embedded_key'], value);
    }),
  );
  const values = fc.sample(anyText, 200);
  const text = [...prometheusTexts([node([...new Set(values)].map(row))], undefined)].join('');
  assert.equal(promtoolSays(promtool, text), '');
});

test('of what is read back only our own lines count', () => {
  const runs = { lastRun: 1_800_000_000, lastSuccess: 1_700_000_000, lastExitCode: 4 };
  assert.deepEqual(parseRenewRuns([...prometheusTexts([node([])], runs)].join('')), runs);
  const name = 'kubepki_renew_last_success_timestamp_seconds';
  for (const line of [
    `${name} 1e9`,
    `${name} -1`,
    ` ${name} 1`,
    `${name} 1 `,
    `${name}{a="b"} 1`,
    `# ${name} 1`,
    `${name} 123456789012`,
    `${name} 1\n${name} 2`,
    `${name} NaN`,
  ]) {
    assert.equal(parseRenewRuns(`${line}\n`).lastSuccess, undefined, line);
  }
});
