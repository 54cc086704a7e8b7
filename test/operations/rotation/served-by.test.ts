import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RotatedAuthority } from '../../../src/operations/rotation/plan.ts';
import { servedChain } from '../../../src/operations/rotation/served-by.ts';
import { crossOf, leafOf, newAuthority } from '../../support/certificates/new-authority.ts';

test('what a server shows, by the CAs that it leads to', () => {
  const [old, next, other] = [newAuthority('kubernetes'), newAuthority('kubernetes-2'), newAuthority('x')];
  const cross = crossOf(old, next);
  const rotated: RotatedAuthority = { name: 'ca', old: old.certificate, next: next.certificate, cross };
  const [ofOld, ofNext, ofOther] = [old, next, other].map((one) => leafOf(one).certificate);
  assert.ok(ofOld && ofNext && ofOther);
  assert.equal(servedChain([ofOld], rotated), 'of-old');
  assert.equal(servedChain([ofOld, old.certificate], rotated), 'of-old');
  assert.equal(servedChain([ofNext, cross], rotated), 'of-next-with-cross');
  assert.equal(servedChain([ofNext, next.certificate, cross], rotated), 'of-next-with-cross');
  // Made again, it is as good.
  assert.equal(servedChain([ofNext, crossOf(old, next)], rotated), 'of-next-with-cross');
  assert.equal(servedChain([ofNext], rotated), 'of-next');
  assert.equal(servedChain([ofNext, next.certificate, old.certificate], rotated), 'of-next');
  // A cross-certificate of another CA leads nowhere that matters, and so does one behind a leaf that is not its own.
  assert.equal(servedChain([ofNext, crossOf(other, next)], rotated), 'of-next');
  assert.equal(servedChain([ofOther, cross], rotated), 'other');
  // Names prove nothing.
  assert.equal(servedChain([leafOf(newAuthority('kubernetes')).certificate], rotated), 'other');
  assert.equal(servedChain([leafOf(newAuthority('kubernetes-2')).certificate, cross], rotated), 'other');
});
