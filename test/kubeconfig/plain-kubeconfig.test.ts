import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { KubepkiError } from '../../src/errors/error.ts';
import { createKubeconfig } from '../../src/kubeconfig/create.ts';
import type { Kubeconfig } from '../../src/kubeconfig/kubeconfig.ts';
import { readPlainKubeconfig } from '../../src/kubeconfig/plain-kubeconfig.ts';
import { readAnyKubeconfig, readKubeconfig } from '../../src/kubeconfig/read.ts';
import fc from '../support/properties.ts';
import { fixturePath } from '../support/tree.ts';

/** As the kubelet leaves it when it has joined, cut down to one letter for the CA's data. */
const kubelets = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${'A'.repeat(400)}
    server: https://192.0.2.10:6443
  name: default-cluster
contexts:
- context:
    cluster: default-cluster
    namespace: default
    user: default-auth
  name: default-context
current-context: default-context
kind: Config
preferences: {}
users:
- name: default-auth
  user:
    client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem
    client-key: /var/lib/kubelet/pki/kubelet-client-current.pem
`;

const kubeadms = ['stacked-etcd-rsa', 'stacked-etcd-ecdsa', 'ipv6'].flatMap((role) =>
  ['admin.conf', 'controller-manager.conf', 'scheduler.conf'].map((name) =>
    readFileSync(fixturePath(role, `etc/kubernetes/${name}`), 'utf8'),
  ),
);

const samples = [...kubeadms, kubelets];

/** What the YAML parser makes of it; undefined: an error. */
function byYaml(text: string): Kubeconfig | undefined {
  try {
    return readAnyKubeconfig(text);
  } catch (error) {
    assert.ok(error instanceof KubepkiError);
    return undefined;
  }
}

/** @returns whether it was plain; then the YAML parser reads the same */
function isReadAlike(text: string): boolean {
  const plain = readPlainKubeconfig(text);
  if (plain === undefined) return false;
  assert.deepEqual(plain, byYaml(text));
  return true;
}

/** Short data, so that what is changed is not always in there. */
function shortened(text: string): string {
  return text.replace(/(data: .{120}).*/g, '$1');
}

describe('a plain kubeconfig', () => {
  test("is kubeadm's, with preferences or without, the kubelet's, and ours", () => {
    for (const text of samples) {
      assert.ok(isReadAlike(text));
      assert.ok(isReadAlike(text.replace('kind: Config\n', 'kind: Config\nextensions: []\n')));
      assert.ok(isReadAlike(text.replace('preferences: {}\n', '')));
    }
    const pem = 'x'.repeat(200);
    const names = { clusterName: 'kubernetes', userName: 'system:node:a', clusterCaPem: pem };
    const ours = { ...names, clientKeyPem: pem, clientCertificatePem: pem };
    for (const server of ['https://10.0.0.1:6443', 'https://[fd00::1]:6443', 'https://api.example.com/x']) {
      assert.ok(isReadAlike(createKubeconfig({ ...ours, server })));
    }
  });

  test('whatever is done to its characters: what is plain still, the YAML parser reads alike', () => {
    let plain = 0;
    const character = fc.constantFrom(
      ...Array.from('\n\t\r :-#&*!|>\'"%@`{}[],?=~/\\.aZ09é\u0085\u2028\ufeff'),
      '\n\n',
      ': ',
      ' #',
      '<<',
      'null',
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...samples.map(shortened)),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), character), { minLength: 1, maxLength: 2 }),
        (text, edits) => {
          let changed = text;
          for (const [where, length, inserted] of edits) {
            const at = where % (changed.length + 1);
            changed = changed.slice(0, at) + inserted + changed.slice(at + length);
          }
          if (isReadAlike(changed)) plain += 1;
        },
      ),
      { numRuns: 20_000 },
    );
    // Else it has shown nothing.
    assert.ok(plain > 200, String(plain));
  });

  test('whatever is done to its lines, or stands for a value: the same', () => {
    const counts = { plain: 0, other: 0 };
    const value = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[A-Za-z0-9.:@/[\]_=+-]{0,12}$/),
      fc.constantFrom(
        'null',
        'NULL',
        'true',
        '1',
        '0x10',
        '2026-01-01',
        'a:',
        'a: b',
        '[a]',
        '{}',
        '~',
        'a#b',
        'a #b',
        '- a',
        '!a',
        '&a',
        '*a',
        'system:masters',
        'y',
      ),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...samples.map(shortened)),
        fc.nat(),
        fc.nat(),
        fc.oneof(
          fc.constantFrom('swap', 'repeat', 'remove', 'indent'),
          value.map((text) => ({ text })),
        ),
        fc.boolean(),
        (text, one, other, what, everywhere) => {
          const lines = text.split('\n');
          const [a, b] = [one % lines.length, other % lines.length];
          const line = lines[a] ?? '';
          if (what === 'swap') [lines[a], lines[b]] = [lines[b] ?? '', line];
          else if (what === 'repeat') lines.splice(b, 0, line);
          else if (what === 'remove') lines.splice(a, 1);
          else if (what === 'indent') lines[a] = ` ${line}`;
          else {
            const old = /: (\S+)$/.exec(line)?.[1];
            // A name stands in several places.
            for (const [index, each] of lines.entries()) {
              if (old === undefined || (index !== a && !everywhere)) continue;
              if (each.endsWith(`: ${old}`)) lines[index] = each.slice(0, -old.length) + what.text;
            }
          }
          counts[isReadAlike(lines.join('\n')) ? 'plain' : 'other'] += 1;
        },
      ),
      { numRuns: 20_000 },
    );
    assert.ok(counts.plain > 200 && counts.other > 200, JSON.stringify(counts));
  });

  test('one that is too large for the YAML parser is too large', () => {
    const pem = 'x'.repeat(3 * 64 * 1024);
    const names = { clusterName: 'kubernetes', userName: 'admin', server: 'https://a.example' };
    const text = createKubeconfig({
      ...names,
      clusterCaPem: pem,
      clientKeyPem: 'x'.repeat(200),
      clientCertificatePem: 'x'.repeat(200),
    });
    assert.equal(readPlainKubeconfig(text), undefined);
    assert.throws(() => readKubeconfig(text), { code: 'bad-kubeconfig', message: 'is larger than 256 KiB' });
    const smaller = text.replace(/(authority-data: .{200000}).*/, '$1');
    assert.ok(isReadAlike(smaller));
  });

  test('what is not read so is read by the YAML parser', () => {
    const text = samples[0] ?? '';
    for (const changed of [
      `${text}# a comment\n`,
      text.replaceAll('\n', '\r\n'),
      text.replace('server: ', 'server:  '),
      text.replace('kind: Config\n', "kind: 'Config' # a comment\n"),
    ]) {
      assert.equal(readPlainKubeconfig(changed), undefined);
      assert.equal(byYaml(changed)?.userName, byYaml(text)?.userName);
    }
  });
});
