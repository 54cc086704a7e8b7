import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podReferences } from '../../../src/operations/references/mend.ts';
import { oldPods, type PublishedCa } from '../../../src/operations/references/old-pods.ts';
import type { RunningPod } from '../../../src/operations/references/reference.ts';
import { encodeCertificates } from '../../../src/pki/certificate/certificate.ts';
import { newAuthority } from '../../support/certificates/new-authority.ts';

const [old, next] = [newAuthority('kubernetes').certificate, newAuthority('kubernetes-2').certificate];
/** By the new CA's beginning. */
const at = (minute: number): Date => new Date(next.notBefore.getTime() + minute * 60_000);

function pod(name: string, minute: number, owner?: string): RunningPod {
  return { namespace: 'default', name, startedAt: at(minute), owner };
}

function published(writtenAt: Date | undefined, isThere = true): PublishedCa[] {
  return [
    { namespace: 'default', pem: encodeCertificates(isThere ? [old, next] : [old]), writtenAt },
    { namespace: 'empty', pem: '', writtenAt },
  ];
}

const pods = [pod('a', -5), pod('b', 5), pod('c', 15), pod('d', 25)];
const names = (given: readonly PublishedCa[], switchedAt?: Date): string =>
  oldPods(pods, given, { next, switchedAt })
    .pods.map(({ name }) => name)
    .join('');

test('a pod is old that began before the new CA was surely published in its namespace', () => {
  assert.equal(names(published(at(10))), 'ab');
  // The ConfigMap was written once more at distrust.
  assert.equal(names(published(at(30)), at(20)), 'abc');
  assert.equal(names(published(at(10)), at(20)), 'ab');
  // An API server that does not say when: what began before the rotation is old in any case.
  assert.equal(names(published(undefined)), 'a');
  assert.equal(names([]), '');
});

test('where the new CA is not published, no pod would be better for a restart', () => {
  const found = oldPods(pods, published(at(10), false), { next, switchedAt: at(20) });
  assert.deepEqual(found, { pods: [], unpublished: ['default', 'empty'] });
});

test('pods of one controller are one row, with its restart', () => {
  const rows = podReferences([
    pod('web-1', 5, 'deployment/web'),
    pod('alone', 7),
    pod('web-2', 3, 'deployment/web'),
    { ...pod('web-1', 6, 'deployment/web'), namespace: "it's odd" },
  ]);
  assert.deepEqual(
    rows.map(({ namespace, name, says, command }) => [
      namespace,
      name,
      says.replace(/ since.*/, ''),
      command,
    ]),
    [
      ['default', 'deployment/web', '2 pods run', 'kubectl -n default rollout restart deployment/web'],
      ['default', 'alone', 'runs', undefined],
      [
        "it's odd",
        'deployment/web',
        'runs',
        String.raw`kubectl -n 'it'\''s odd' rollout restart deployment/web`,
      ],
    ],
  );
  assert.match(rows[0]?.says ?? '', new RegExp(`since ${at(3).toISOString()}`));
});
