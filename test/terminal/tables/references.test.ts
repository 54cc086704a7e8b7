import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Held } from '../../../src/operations/references/held.ts';
import { fileReference, objectReference, podReferences } from '../../../src/operations/references/mend.ts';
import type { Found } from '../../../src/operations/references/reference.ts';
import { referenceTables } from '../../../src/terminal/tables/references.ts';
import { assertWholeWords, tableLines } from '../../support/table-lines.ts';

const held = (what: Held['what'], isReplaceable = true): Held => ({
  ...{ authority: 'ca', isRotated: true, file: '/etc/kubernetes/pki/ca.crt', what, isReplaceable },
});

const found: Found = {
  rotation: '0123456789abcdef',
  references: [
    objectReference({
      place: {
        kind: 'ValidatingWebhookConfiguration',
        namespace: undefined,
        name: 'policy',
        field: { kind: 'webhook', index: 0, name: 'policy.example.com' },
      },
      held: held('old'),
    }),
    objectReference({
      place: { kind: 'Secret', namespace: 'ci', name: 'argocd', field: { kind: 'data', key: 'config' } },
      held: held('both', false),
    }),
    fileReference({ path: '/root/.kube/config', cluster: 'prod', held: held('old') }),
    fileReference({ path: '/root/.kube/config', cluster: undefined, held: held('issued') }),
    ...podReferences([
      {
        namespace: 'kube-system',
        name: 'kube-proxy-x',
        startedAt: new Date('2026-11-20T12:00:00Z'),
        owner: 'daemonset/kube-proxy',
      },
    ]),
  ],
  unpublished: ['shop'],
  unread: [{ what: '/etc/cni/net.d', why: 'permission denied' }],
};

function text(of: Found, width: number, colour = false): string {
  return [...referenceTables(of, { width, colour })].join('');
}

suite('ca references', () => {
  test('at 120 columns: all of it in a line; then by its number the command, not cut', () => {
    const lines = text(found, 120).split('\n');
    assert.deepEqual(lines.slice(0, 3), [
      '#  KIND                            WHERE                                   FINDING',
      '1  ValidatingWebhookConfiguration  policy, webhooks[0] policy.example.com  trusts the old CA alone (ca)',
      '2  Secret                          ci/argocd, config                       trusts the old CA and the new one (ca)',
    ]);
    const [first, second] = found.references;
    assert.ok(lines.includes(`1  ${first?.command ?? ''}`));
    assert.ok(lines.includes(`2  ${second?.advice ?? ''}`));
    assert.ok(lines.includes(`   ${second?.command ?? ''}`));
    assert.ok(lines.includes('5  kubectl -n kube-system rollout restart daemonset/kube-proxy'));
    assert.deepEqual(lines.slice(-4), [
      '',
      'Pods: not judged where kube-root-ca.crt does not hold the new CA yet: shop',
      '/etc/cni/net.d: not looked at: permission denied',
      '',
    ]);
  });

  test('the table fits at any width, and no word of it is broken', () => {
    const tableOf = (width: number, colour: boolean): string =>
      text(found, width, colour).split('\n\n')[0] ?? '';
    for (let width = 50; width <= 160; width += 5) {
      assertWholeWords(tableLines(`${tableOf(width, true)}\n`, width), [tableOf(10_000, false)]);
    }
    assert.doesNotMatch(text(found, 80), /^# +KIND/);
  });

  test('where nothing is left there is no table', () => {
    const nothing = { ...found, references: [], unpublished: [], unread: [] };
    assert.equal(text(nothing, 80), 'nothing is left to do by hand\n');
  });
});
