import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KubepkiError } from '../../src/errors/error.ts';
import { parseYaml } from '../../src/yaml/parse-yaml.ts';
import { readPlainYaml, readYaml } from '../../src/yaml/plain-yaml.ts';
import fc from '../support/properties.ts';

/** As kubeadm 1.34 writes it, cut down to one of each form. */
const manifest = `apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubeadm.kubernetes.io/etcd.advertise-client-urls: https://192.0.2.10:2379
  creationTimestamp: null
  labels:
    component: etcd
    tier: control-plane
  name: etcd
spec:
  containers:
  - command:
    - etcd
    - --advertise-client-urls=https://192.0.2.10:2379
    - --initial-cluster=cp-2=https://192.0.2.11:2380,cp-1=https://[fd00::1]:2380
    - --cipher-suites=
    env:
    - name: A
      value: "0"
    image: registry.k8s.io/etcd:3.6.4-0
    livenessProbe:
      httpGet:
        host: 127.0.0.1
        path: /health?serializable=true
        port: probe-port
    name: etcd
    resources: {}
    volumeMounts:
    - mountPath: /var/lib/etcd
      name: etcd-data
  hostNetwork: true
  volumes:
  - hostPath:
      path: /var/lib/etcd
      type: DirectoryOrCreate
    name: etcd-data
status: {}
`;

const kubelet = `apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
clusterDNS:
- 10.96.0.10
containerRuntimeEndpoint: ""
enforceNodeAllocatable: []
fileCheckFrequency: 0s
kind: KubeletConfiguration
logging:
  options:
    json:
      infoBufferSize: '0'
rotateCertificates: true
`;

const samples = [manifest, kubelet];

/** What the YAML parser makes of it; undefined: an error, or nothing. */
function byParser(text: string): unknown {
  try {
    const documents = parseYaml(text, { code: 'bad-manifest', schema: 'failsafe' });
    assert.ok(documents.length <= 1);
    return documents[0]?.value;
  } catch (error) {
    assert.ok(error instanceof KubepkiError);
    return undefined;
  }
}

/** @returns whether it is plain; then the parser reads the same */
function isReadAlike(text: string): boolean {
  const plain = readPlainYaml(text);
  if (plain === undefined) return false;
  assert.deepEqual(plain, byParser(text));
  return true;
}

describe('plain YAML', () => {
  test("is what kubeadm writes: manifests, and the kubelet's configuration", () => {
    for (const text of samples) assert.ok(isReadAlike(text));
  });

  test('whatever is done to its characters: what is plain still, the parser reads alike', () => {
    let plain = 0;
    const inserted = fc.constantFrom(
      ...Array.from('\n\t\r :-#&*!|>\'"%@`{}[],?=~/\\.aZ09é\u0085\u2028\ufeff'),
      ...[
        '\n\n',
        '\n  ',
        '\n- ',
        ': ',
        ' #',
        '- ',
        '<<: ',
        '---\n',
        '...\n',
        'null',
        "''",
        '""',
        '|\n',
        '? ',
      ],
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), inserted), { minLength: 1, maxLength: 3 }),
        (text, edits) => {
          let changed = text;
          for (const [where, length, what] of edits) {
            const at = where % (changed.length + 1);
            changed = changed.slice(0, at) + what + changed.slice(at + length);
          }
          if (isReadAlike(changed)) plain += 1;
        },
      ),
      { numRuns: 10_000 },
    );
    // Else it has shown nothing.
    assert.ok(plain > 200, String(plain));
  });

  test('whatever is done to its lines: the same', () => {
    let plain = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(
          fc.tuple(
            fc.nat(),
            fc.nat(),
            fc.constantFrom('swap', 'repeat', 'remove', 'in', 'out', 'dash', 'undash'),
          ),
          { minLength: 1, maxLength: 3 },
        ),
        (text, edits) => {
          const lines = text.split('\n');
          for (const [one, other, what] of edits) {
            const [a, b] = [one % lines.length, other % lines.length];
            const line = lines[a] ?? '';
            if (what === 'swap') [lines[a], lines[b]] = [lines[b] ?? '', line];
            else if (what === 'repeat') lines.splice(b, 0, line);
            else if (what === 'remove') lines.splice(a, 1);
            else if (what === 'in') lines[a] = `  ${line}`;
            else if (what === 'out') lines[a] = line.replace(/^ {2}/, '');
            else if (what === 'dash') lines[a] = line.replace(/^( *)/, '$1- ');
            else lines[a] = line.replace(/^( *)- /, '$1');
          }
          if (isReadAlike(lines.join('\n'))) plain += 1;
        },
      ),
      { numRuns: 10_000 },
    );
    assert.ok(plain > 200, String(plain));
  });

  test('of any small text the same', () => {
    let plain = 0;
    const line = fc
      .tuple(
        fc.nat({ max: 4 }),
        fc.constantFrom('', '', '- ', '- - '),
        fc.constantFrom('a:', 'b:', 'c:', 'd:', ''),
        fc.constantFrom('', '', ' x', ' {}', ' []', ' "x"', " ''", ' null', ' x:', ' - x', ' --x', ' -'),
      )
      .map(([indent, dash, key, value]) => `${' '.repeat(indent)}${dash}${key}${value}\n`);
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), (lines) => {
        if (isReadAlike(lines.join(''))) plain += 1;
      }),
      { numRuns: 50_000 },
    );
    assert.ok(plain > 200, String(plain));
  });

  test('of any scalar behind a key or a dash the same', () => {
    const scalar = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(scalar, fc.constantFrom('a: ', 'a:\n- ', 'a:\n  b: '), (text, before) => {
        isReadAlike(`${before}${text}\n`);
      }),
      { numRuns: 20_000 },
    );
  });

  test('what is nested deeply, or has a long key, is left to the parser, which takes it or not', () => {
    const nested = (levels: number): string =>
      `${Array.from({ length: levels }, (_, level) => `${' '.repeat(level)}a:`).join('\n')} b\n`;
    assert.ok(isReadAlike(nested(20)));
    for (const levels of [45, 49, 50, 51, 60, 120]) isReadAlike(nested(levels));
    for (const length of [400, 501, 502, 1030, 2000]) isReadAlike(`${'a'.repeat(length)}: b\n`);
    assert.ok(isReadAlike(`a: ${'b'.repeat(100_000)}\n`));
    assert.equal(readPlainYaml(`a: ${'b'.repeat(300_000)}\n`), undefined);
  });

  test('what is not plain is read by the parser', () => {
    for (const text of [
      '# a comment\na: b\n',
      'a: b # a comment\n',
      'a: b\r\n',
      'a: |\n  b\n',
      '{a: b}\n',
      'a: b',
      '---\na: b\n',
      'a: b\n---\nc: d\n',
    ]) {
      assert.equal(readPlainYaml(text), undefined, text);
      assert.ok(readYaml(text, 'bad-manifest') !== undefined, text);
    }
    assert.equal(readYaml('', 'bad-manifest'), undefined);
    assert.throws(() => readYaml('a: b\na: c\n', 'bad-manifest'), { code: 'bad-manifest' });
  });
});
