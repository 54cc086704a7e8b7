import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { certificates, certificateAuthorities } from '../../../src/catalog/catalog.ts';
import { completedBySwitch } from '../../../src/operations/rotation/edits.ts';
import type { RotatedAuthority } from '../../../src/operations/rotation/plan.ts';
import { reached, type RotationFiles } from '../../../src/operations/rotation/state.ts';
import { encodeCertificates, parseCertificates } from '../../../src/pki/certificate/certificate.ts';
import type { Certificate } from '../../../src/pki/certificate/certificate.ts';
import { crossOf, leafOf, newAuthority } from '../../support/certificates/new-authority.ts';

const [oldPair, nextPair] = [newAuthority('etcd-ca'), newAuthority('etcd-ca-20261129')];
const [old, next] = [oldPair.certificate, nextPair.certificate];
const cross = crossOf(oldPair, nextPair);
const authority: RotatedAuthority = { name: 'etcd-ca', old, next, cross };
const [ofOld, ofNext] = [oldPair, nextPair].map((one) => leafOf(one).certificate) as [
  Certificate,
  Certificate,
];

/** A node with one certificate: what the CA's file holds, its key, and what the certificate's file holds. */
function node(
  bundle: readonly Certificate[],
  key: typeof oldPair.key,
  chain: readonly Certificate[],
): RotationFiles {
  const target = (path: string): object => ({ path, resolvedPath: path, before: undefined });
  return {
    inventory: {
      authorities: [
        {
          spec: certificateAuthorities.find(({ name }) => name === 'etcd-ca'),
          certificatePath: '/etcd/ca.crt',
          keyPath: '/etcd/ca.key',
          file: target('/etcd/ca.crt'),
          bundle: { status: 'present', value: bundle },
        },
      ],
      certificates: [
        {
          kind: 'leaf',
          spec: certificates.find(({ name }) => name === 'etcd-peer'),
          certificatePath: '/etcd/peer.crt',
          state: { status: 'present', value: { file: target('/etcd/peer.crt'), chain } },
        },
      ],
    },
    keys: new Map([['etcd-ca', { content: { status: 'present', value: key } }]]),
    signing: undefined,
  } as unknown as RotationFiles;
}

describe('a certificate of the new CA without its cross-certificate, as "kubeadm certs renew" leaves it', () => {
  test('is not at switch as long as the old CA is trusted', () => {
    const found = reached(authority, node([next, old], nextPair.key, [ofNext]));
    assert.deepEqual(found, {
      kind: 'between',
      from: 'trust',
      to: 'switch',
      behind: [
        {
          path: '/etcd/peer.crt',
          first: 'trust',
          last: 'trust',
          holds: 'a certificate of the new CA, without the cross-certificate',
        },
      ],
    });
    const whole = reached(authority, node([next, old], nextPair.key, [ofNext, cross]));
    assert.deepEqual(whole, { kind: 'at', first: 'switch', last: 'switch' });
  });

  test('is what finish leaves, once the new CA alone is trusted', () => {
    const found = reached(authority, node([next], nextPair.key, [ofNext]));
    assert.deepEqual(found, { kind: 'at', first: 'finish', last: 'finish' });
  });

  test('gets it behind the leaf, and what is there stays behind', () => {
    const [change, ...others] = completedBySwitch(authority, node([next, old], nextPair.key, [ofNext, next]));
    assert.equal(others.length, 0);
    assert.equal(change?.target.path, '/etcd/peer.crt');
    assert.equal(change.after?.content.toString(), encodeCertificates([ofNext, cross, next]));
    const chain = parseCertificates(Buffer.from(change.after.content));
    const again = node([next, old], nextPair.key, chain);
    assert.deepEqual(completedBySwitch(authority, again), []);
    assert.equal(reached(authority, again).kind, 'at');
  });

  test('one of the old CA gets none, as it is made anew', () => {
    const files = node([next, old], nextPair.key, [ofOld]);
    assert.deepEqual(completedBySwitch(authority, files), []);
    const found = reached(authority, files);
    assert.deepEqual(found.kind === 'between' && [found.from, found.to], ['trust', 'switch']);
  });
});
