import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RotatedAuthority } from '../../../src/operations/rotation/plan.ts';
import { servedBy } from '../../../src/operations/rotation/served-by.ts';
import { crossOf, leafOf, newAuthority } from '../../support/certificates/new-authority.ts';

test('what a server shows, by the CAs that it leads to', () => {
  const [old, next, other] = [newAuthority('kubernetes'), newAuthority('kubernetes-2'), newAuthority('x')];
  const cross = crossOf(old, next);
  const rotated: RotatedAuthority = { name: 'ca', old: old.certificate, next: next.certificate, cross };
  const [ofOld, ofNext, ofOther] = [old, next, other].map((one) => leafOf(one).certificate);
  assert.ok(ofOld && ofNext && ofOther);
  assert.equal(servedBy([ofOld], rotated), 'old');
  assert.equal(servedBy([ofOld, old.certificate], rotated), 'old');
  assert.equal(servedBy([ofNext, cross], rotated), 'next-with-cross');
  assert.equal(servedBy([ofNext, next.certificate, cross], rotated), 'next-with-cross');
  assert.equal(servedBy([ofNext], rotated), 'next');
  assert.equal(servedBy([ofNext, next.certificate, old.certificate], rotated), 'next');
  // A cross-certificate of another CA leads nowhere that matters, and so does one behind a leaf that is not its own.
  assert.equal(servedBy([ofNext, crossOf(other, next)], rotated), 'next');
  assert.equal(servedBy([ofOther, cross], rotated), 'other');
  // Names prove nothing.
  assert.equal(servedBy([leafOf(newAuthority('kubernetes')).certificate], rotated), 'other');
  assert.equal(servedBy([other.certificate], rotated), 'self');
  assert.equal(servedBy([leafOf(newAuthority('kubernetes-2')).certificate, cross], rotated), 'other');
});
