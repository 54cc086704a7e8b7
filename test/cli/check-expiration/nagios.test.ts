import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { asksForNagios } from '../../../src/cli/nagios-mode.ts';
import { nagiosUnknown, quotedLabel } from '../../../src/render/expiration/nagios.ts';
import { certsInProcess as certs, kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { kubepkiCommand, type Outcome } from '../../support/kubepki.ts';
import { runProgram } from '../../support/program.ts';
import fc from '../../support/properties.ts';
import { copyFixture, fixturePath } from '../../support/tree.ts';

/** Of a fixture whose leaves end on 2027-11-01T00:00:00Z. */
function plugin(at: string, ...args: readonly string[]): Promise<Outcome> {
  const rootfs = ['--rootfs', fixturePath('ipv6', '')];
  return kubepki(['certs', 'check-expiration', ...rootfs, '--at', at, '-o', 'nagios', ...args]);
}

/** The Monitoring Plugins guidelines: `'label'=value[UOM];[warn];[crit]`, separated by spaces. */
const datum = /^'(?:[^'=]|'')+'=(?:U|-?\d+s;\d+:;\d+:)$/;

function requireOneLine({ stdout }: Outcome): { readonly text: string; readonly data: readonly string[] } {
  assert.match(stdout, /^[^\n]+\n$/);
  const parts = stdout.trimEnd().split(' | ');
  assert.equal(parts.length, 2);
  const data = (parts[1] ?? '').split(' ');
  for (const one of data) assert.match(one, datum);
  return { text: parts[0] ?? '', data };
}

describe('-o nagios', () => {
  for (const [at, code, text] of [
    ['2027-10-01T23:59:59Z', 0, /^KUBEPKI OK - 13 certificates, the next to expire is admin\.conf in 30d$/],
    ['2027-10-02T00:00:00Z', 1, /^KUBEPKI WARNING - expiring: admin\.conf \(30d\), apiserver \(30d\), /],
    ['2027-10-24T23:59:59Z', 1, /^KUBEPKI WARNING - /],
    ['2027-10-25T00:00:00Z', 2, /^KUBEPKI CRITICAL - expiring: admin\.conf \(7d\), /],
    ['2027-11-04T00:00:00Z', 2, /^KUBEPKI CRITICAL - admin\.conf expired 3d ago, /],
  ] as const) {
    test(`${at}: ${String(code)}`, async () => {
      const outcome = await plugin(at);
      assert.deepEqual([outcome.code, outcome.stderr], [code, '']);
      const line = requireOneLine(outcome);
      assert.match(line.text, text);
      assert.equal(line.data.length, 13);
    });
  }

  test('seconds, and the thresholds in seconds', async () => {
    const { data } = requireOneLine(
      await plugin('2027-10-31T00:00:00Z', '--warning', '2d', '--critical', '1h'),
    );
    assert.equal(data[0], "'admin.conf'=86400s;172800:;3600:");
    const past = requireOneLine(await plugin('2027-11-02T00:00:00Z'));
    assert.equal(past.data[0], "'admin.conf'=-86400s;2592000:;604800:");
  });

  test('thresholds of its own', async () => {
    const at = '2027-10-02T00:00:00Z';
    assert.equal((await plugin(at, '--warning', '29d')).code, 0);
    assert.equal((await plugin(at, '--warning', '60d', '--critical', '30d')).code, 2);
  });

  test('missing and unreadable are CRITICAL, without a value', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    rmSync(join(tree.certDir, 'apiserver.crt'));
    writeFileSync(join(tree.certDir, 'etcd/peer.crt'), 'garbage\n');
    const outcome = await certs(tree, 'check-expiration', '--at', '2027-01-01T00:00:00Z', '-o', 'nagios');
    assert.equal(outcome.code, 2);
    const { text, data } = requireOneLine(outcome);
    assert.equal(text, 'KUBEPKI CRITICAL - apiserver is missing, etcd-peer cannot be read');
    assert.deepEqual(
      data.filter((one) => one.endsWith('=U')),
      ["'apiserver'=U", "'etcd-peer'=U"],
    );
  });

  for (const [what, args] of [
    ['no cert dir', ['-o', 'nagios', '--cert-dir', '/nope']],
    ['no configuration', ['-o', 'nagios', '--config', '/nope.yaml']],
    ['an unknown flag', ['--output=nagios', '--bogus']],
    ['--within', ['-onagios', '--within', '30d']],
    ['the thresholds the wrong way round', ['-o=nagios', '--warning', '7d', '--critical', '30d']],
    ['the same threshold twice', ['--output', 'nagios', '--warning', '7d', '--critical', '7d']],
    ['--quiet, which would take the line away', ['-o', 'nagios', '--quiet']],
    ['no period', ['-o', 'nagios', '--warning', 'soon']],
    ['a file name with a bar and a newline', ['-o', 'nagios', '--cert-dir', '/no|pe\nOK']],
    ['a textfile that cannot be', ['-o', 'nagios', '--textfile', '/nope/kubepki.prom']],
  ] as const) {
    test(`${what}: UNKNOWN, 3, one line`, async () => {
      const outcome = await kubepki(['certs', 'check-expiration', ...args]);
      assert.equal(outcome.code, 3);
      assert.match(outcome.stdout, /^KUBEPKI UNKNOWN - [^\n|]+\n$/);
      assert.match(outcome.stderr, /^error: /);
    });
  }

  test('the configuration is invalid: UNKNOWN', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    writeFileSync(join(tree.directory, 'bad.yaml'), '{');
    const outcome = await certs(tree, 'check-expiration', '-o', 'nagios', '--config', '/bad.yaml');
    assert.equal(outcome.code, 3);
    assert.match(outcome.stdout, /^KUBEPKI UNKNOWN - [^\n]*bad\.yaml[^\n]*\n$/);
  });

  test('nothing takes the line: UNKNOWN, as a WARNING that nobody can read is none', async () => {
    const rootfs = fixturePath('ipv6', '');
    const command = [...kubepkiCommand, 'certs', 'check-expiration', '--rootfs', rootfs];
    const args = ['-c', '"$@" >/dev/full', 'sh', ...command, '-o', 'nagios'];
    const outcome = await runProgram('/bin/sh', args);
    assert.equal(outcome.code, 3);
    assert.match(outcome.stderr, /^error: cannot write to standard output: /);
  });

  test('its thresholds go with nothing else', async () => {
    for (const flag of ['--warning', '--critical']) {
      const outcome = await kubepki(['certs', 'check-expiration', flag, '3d']);
      assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
      assert.match(outcome.stderr, new RegExp(`^error: ${flag} goes with -o nagios\\n$`));
    }
  });
});

test('who asks for it', () => {
  const ask = (line: string): boolean => asksForNagios(line.split(' '));
  for (const line of [
    '-o nagios',
    '-onagios',
    '-o=nagios',
    '--output nagios',
    '--output=nagios',
    '-o =nagios',
  ]) {
    assert.ok(ask(`node kubepki certs check-expiration ${line}`), line);
  }
  for (const line of ['renew nagios -o json', 'check-expiration --cert-dir nagios', 'renew all -o nagios']) {
    assert.ok(!ask(`node kubepki certs ${line}`), line);
  }
});

test('a label is one label, and a message is one line, whatever is in them', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.match(`${quotedLabel(`x${text}`)}=1s;2:;1:`, datum);
      assert.match(nagiosUnknown(text), /^KUBEPKI UNKNOWN - [^\n|]*\n$/);
    }),
  );
});
