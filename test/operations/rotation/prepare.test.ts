import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replace, type Replaceable } from '../../../src/operations/rotation/prepare.ts';
import { randomSerialNumber } from '../../../src/pki/issue/issue.ts';
import { issuerOf, newKey, now } from '../../support/certificates/new-authority.ts';
import { oldAuthority } from '../../support/certificates/old-authority.ts';
import { judge } from '../../support/judge.ts';

test('no CA is made whose leaves would not be trusted by the old one', (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const replaced = (basicConstraints: string): unknown => {
    const replaceable: Replaceable = {
      name: 'etcd-ca',
      old: issuerOf(oldAuthority(openssl, { basicConstraints })),
      commonName: 'etcd-ca-20261129',
      keyAlgorithm: { type: 'ec', curve: 'P-256' },
    };
    const next = { privateKey: newKey(), serialNumber: randomSerialNumber() };
    const chance = { next, crossSerialNumber: randomSerialNumber() };
    return replace(replaceable, chance, { now, authorityValidityMs: 3650 * 24 * 3600 * 1000 });
  };
  assert.ok(replaced('CA:TRUE,pathlen:1'));
  assert.throws(() => replaced('CA:TRUE,pathlen:0'), {
    code: 'bad-issuer',
    message:
      'etcd-ca cannot be replaced in stages: the old CA allows no CA below it (pathlen:0 in its basicConstraints)',
  });
});
