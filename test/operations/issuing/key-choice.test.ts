import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { encryptionAlgorithms, type EncryptionAlgorithm } from '../../../src/config/kubeadm-config.ts';
import { chooseKey } from '../../../src/operations/issuing/key-choice.ts';
import { parseCertificates, type Certificate } from '../../../src/pki/certificate/certificate.ts';
import { judge } from '../../support/judge.ts';
import { temporaryDirectory } from '../../support/tree.ts';

const newKey: Readonly<Record<string, readonly string[]>> = {
  'RSA-1024': ['rsa:1024'],
  'RSA-2048': ['rsa:2048'],
  'RSA-3072': ['rsa:3072'],
  'RSA-4096': ['rsa:4096'],
  'ECDSA-P256': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'ECDSA-P384': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
};

function certificate(t: TestContext, openssl: string, key: string): Certificate {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'crt');
  const keyFile = join(directory, 'key');
  const args = ['req', '-x509', '-nodes', '-subj', '/CN=x', '-keyout', keyFile, '-out', file];
  execFileSync(openssl, [...args, '-newkey', ...(newKey[key] ?? [])], { stdio: 'pipe' });
  return parseCertificates(readFileSync(file))[0];
}

/** As kubeadm writes it. */
function chosen(old: Certificate, name: EncryptionAlgorithm, from: 'command-line' | 'cluster'): string {
  const { algorithm } = chooseKey(old, { name, from }, 'x.crt');
  if (algorithm.type === 'rsa') return `RSA-${String(algorithm.bits)}`;
  return `ECDSA-${algorithm.curve.replace('-', '')}`;
}

describe('the key of a renewal', () => {
  /** What comes of each algorithm that the cluster names, in the order of `encryptionAlgorithms`. */
  const outcomes: Readonly<Record<string, readonly string[]>> = {
    'RSA-1024': ['RSA-2048', 'RSA-3072', 'RSA-4096', 'ECDSA-P256', 'ECDSA-P384'],
    'RSA-2048': ['RSA-2048', 'RSA-3072', 'RSA-4096', 'ECDSA-P256', 'ECDSA-P384'],
    'RSA-3072': ['RSA-3072', 'RSA-3072', 'RSA-4096', 'RSA-3072', 'ECDSA-P384'],
    'RSA-4096': ['RSA-4096', 'RSA-4096', 'RSA-4096', 'RSA-4096', 'ECDSA-P384'],
    'ECDSA-P256': ['ECDSA-P256', 'ECDSA-P256', 'RSA-4096', 'ECDSA-P256', 'ECDSA-P384'],
    'ECDSA-P384': ['ECDSA-P384', 'ECDSA-P384', 'ECDSA-P384', 'ECDSA-P384', 'ECDSA-P384'],
  };
  for (const [old, expected] of Object.entries(outcomes)) {
    test(`the cluster never makes ${old} weaker, the command line decides`, (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const leaf = certificate(t, openssl, old);
      assert.deepEqual(
        encryptionAlgorithms.map((name) => chosen(leaf, name, 'cluster')),
        expected,
      );
      assert.deepEqual(
        encryptionAlgorithms.map((name) => chosen(leaf, name, 'command-line')),
        encryptionAlgorithms,
      );
    });
  }
});
