import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseKubeadmConfig } from '../../src/config/parse.ts';
import { KubepkiError } from '../../src/errors/error.ts';
import { readKubeconfig } from '../../src/kubeconfig/read.ts';
import { rewriteKubeconfig } from '../../src/kubeconfig/rewrite.ts';
import { encodeCertificates, isCa, parseCertificate, parseCertificates } from '../../src/pki/certificate.ts';
import { chainsTo } from '../../src/pki/chain.ts';
import { localIssuer } from '../../src/pki/issuer.ts';
import { algorithmOf, parsePrivateKey } from '../../src/pki/private-key.ts';
import { fixturePath } from '../support/tree.ts';

// FUZZ=1000000 npm test -- fuzz: that many inputs of each kind.
const runs = Number(process.env['FUZZ'] ?? 1000);
const seed = Number(process.env['FUZZ_SEED'] ?? 20261124);
const now = new Date('2026-12-01T00:00:00Z');
const files = { certificate: 'ca.crt', key: 'ca.key' };

type Mutation =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'put'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number; readonly times: number };

const at = fc.double({ min: 0, max: 1, noNaN: true });
const special = fc.constantFrom(
  '-----BEGIN ',
  '-----END ',
  '&a ',
  '*a',
  '<<: ',
  '---\n',
  '\0',
  '\u0080',
  '{',
  '[',
  '"',
  "'",
  '|',
  '\t',
);
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant('put' as const),
    at,
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      special.map((text) => Buffer.from(text)),
    ),
  }),
  fc.record({ kind: fc.constant('cut' as const), at, length: fc.nat(64) }),
  fc.record({ kind: fc.constant('repeat' as const), at, length: fc.nat(64), times: fc.nat(50) }),
);

function mutate(input: Buffer, mutations: readonly Mutation[]): Buffer {
  return mutations.reduce((bytes, change) => {
    const index = Math.min(bytes.length, Math.floor(change.at * bytes.length));
    const [head, tail] = [bytes.subarray(0, index), bytes.subarray(index)];
    switch (change.kind) {
      case 'flip': {
        const copy = Buffer.from(bytes);
        if (index < copy.length) copy[index] = (copy[index] ?? 0) ^ (1 << change.bit);
        return copy;
      }
      case 'put':
        return Buffer.concat([head, change.bytes, tail]);
      case 'cut':
        return Buffer.concat([head, tail.subarray(change.length)]);
      case 'repeat': {
        const part = tail.subarray(0, change.length);
        return Buffer.concat([head, ...Array.from({ length: change.times }, () => part), tail]);
      }
    }
  }, input);
}

/** Whatever comes in, it is understood or refused with an error for users, of one line that quotes no key. */
function survives(name: string, inputs: readonly Buffer[], use: (bytes: Buffer) => void): void {
  test(`${name}: ${String(runs)} mutated inputs are understood or refused`, () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...inputs),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (input, mutations) => {
          const bytes = mutate(input, mutations);
          try {
            use(bytes);
          } catch (error) {
            if (!(error instanceof KubepkiError)) throw error;
            assert.doesNotMatch(error.line, /\n/);
            // An error may quote an apiVersion or a name, but nothing of a file that holds keys.
            if (!name.startsWith('kubeadm')) {
              assert.doesNotMatch(`${error.line} ${error.hint ?? ''}`, /[A-Za-z0-9+/]{60}/);
            }
          }
        },
      ),
      { numRuns: runs, seed },
    );
  });
}

const read = (role: string, path: string): Buffer =>
  readFileSync(fixturePath(role, `etc/kubernetes/${path}`));
const certificates = [
  read('stacked-etcd-rsa', 'pki/apiserver.crt'),
  read('rsa-ca-ecdsa-leaves', 'pki/apiserver.crt'),
  read('custom-subject', 'pki/apiserver.crt'),
  read('leaf-chain', 'pki/apiserver.crt'),
];
const ca = parseCertificates(read('stacked-etcd-rsa', 'pki/ca.crt'));
const caKey = parsePrivateKey(read('stacked-etcd-rsa', 'pki/ca.key'));

survives('certificates in PEM', certificates, (bytes) => {
  const chain = parseCertificates(bytes);
  isCa(chain[0]);
  algorithmOf(chain[0].publicKey);
  chainsTo(chain, ca);
});

const ders = [...certificates.map((pem) => parseCertificates(pem)[0].der), ca[0].der];
survives('certificates in DER', ders, (bytes) => {
  const certificate = parseCertificate(bytes);
  // What was taken is what stands in the file.
  assert.deepEqual(parseCertificates(Buffer.from(encodeCertificates([certificate])))[0].der, certificate.der);
  isCa(certificate);
  localIssuer([certificate, ...ca], caKey, now, files);
});

survives(
  'private keys',
  [
    read('stacked-etcd-rsa', 'pki/apiserver.key'),
    read('rsa-ca-ecdsa-leaves', 'pki/apiserver.key'),
    read('rsa-ca-ecdsa-leaves', 'pki/front-proxy-client.key'),
    readFileSync(fixturePath('bad', 'encrypted.key')),
  ],
  (bytes) => {
    const key = parsePrivateKey(bytes);
    algorithmOf(key);
    localIssuer(ca, key, now, files);
  },
);

survives(
  'kubeconfigs',
  [
    read('stacked-etcd-rsa', 'admin.conf'),
    read('kubeconfig-rich', 'admin.conf'),
    read('kubeconfig-rich', 'scheduler.conf'),
    read('kubeconfig-rich', 'controller-manager.conf'),
  ],
  (bytes) => {
    const kubeconfig = readKubeconfig(bytes.toString('utf8'));
    const { clientCertificate, clusterCa } = kubeconfig;
    if (clientCertificate.kind !== 'data') return;
    const rewritten = rewriteKubeconfig(kubeconfig, {
      clientCertificatePem: 'new certificate',
      ...(clusterCa.kind === 'data' ? { clusterCaPem: 'new CA' } : {}),
    });
    const again = readKubeconfig(rewritten);
    assert.deepEqual(again.clientCertificate, { kind: 'data', bytes: Buffer.from('new certificate') });
    assert.deepEqual(again.clientKey, kubeconfig.clientKey);
  },
);

survives(
  'kubeadm configurations',
  ['stacked-etcd-rsa', 'external-etcd', 'super-admin'].map((role) =>
    readFileSync(fixturePath(role, 'kubeadm.yaml')),
  ),
  (bytes) => {
    parseKubeadmConfig(bytes.toString('utf8'));
  },
);
