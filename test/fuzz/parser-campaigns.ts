import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseKubeadmConfig } from '../../src/config/parse.ts';
import { KubepkiError } from '../../src/errors/error.ts';
import { readKubeconfig } from '../../src/kubeconfig/read.ts';
import { rewriteKubeconfig } from '../../src/kubeconfig/rewrite.ts';
import {
  encodeCertificates,
  isCa,
  parseCertificate,
  parseCertificates,
} from '../../src/pki/certificate/certificate.ts';
import { chainsTo } from '../../src/pki/path/path.ts';
import { localIssuer } from '../../src/pki/issue/issuer.ts';
import { algorithmOf, parsePrivateKey } from '../../src/pki/key/private-key.ts';
import { renderError } from '../../src/render/diagnostics.ts';
import { fixturePath } from '../support/tree.ts';
import type { Campaign } from './campaign.ts';
import { harmlessnessOf } from './harmless.ts';
import type { InputKind } from './input.ts';
import { parserInputs } from './samples.ts';

const now = new Date('2026-12-01T00:00:00Z');
const files = { certificate: 'ca.crt', key: 'ca.key' };
const keysOf = ['bad', 'stacked-etcd-rsa', 'rsa-ca-ecdsa-leaves', 'kubeconfig-rich', 'ipv6'];
const requireHarmless = harmlessnessOf(keysOf.map((role) => fixturePath(role, '')));
const read = (path: string): Buffer =>
  readFileSync(fixturePath('stacked-etcd-rsa', `etc/kubernetes/pki/${path}`));
const ca = parseCertificates(read('ca.crt'));
const caKey = parsePrivateKey(read('ca.key'));

/** Whatever comes in, it is understood or refused with an error for users, of one line that quotes no key. */
function parsing(kind: InputKind, use: (bytes: Buffer) => void): Campaign {
  return {
    kind,
    run: async (bytes, _, timed) => {
      try {
        await timed(() => {
          use(bytes);
        });
        return 'understood';
      } catch (error) {
        if (!(error instanceof KubepkiError)) throw error;
        assert.doesNotMatch(error.oneLine, /\n/);
        requireHarmless(renderError(error, { colour: false }));
        return 'refused';
      }
    },
  };
}

export const campaigns: readonly Campaign[] = [
  parsing(parserInputs.certificatePem, (bytes) => {
    const chain = parseCertificates(bytes);
    isCa(chain[0]);
    algorithmOf(chain[0].publicKey);
    chainsTo(chain, ca);
  }),
  parsing(parserInputs.certificateDer, (bytes) => {
    const certificate = parseCertificate(bytes);
    // What was taken is what stands in the file.
    const encoded = Buffer.from(encodeCertificates([certificate]));
    assert.deepEqual(parseCertificates(encoded)[0].der, certificate.der);
    isCa(certificate);
    localIssuer([certificate, ...ca], caKey, now, files);
  }),
  parsing(parserInputs.privateKey, (bytes) => {
    const key = parsePrivateKey(bytes);
    algorithmOf(key);
    localIssuer(ca, key, now, files);
  }),
  parsing(parserInputs.kubeconfig, (bytes) => {
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
  }),
  parsing(parserInputs.kubeadmConfig, (bytes) => {
    parseKubeadmConfig(bytes.toString('utf8'));
  }),
];
