/** A rotation is exported from one node and imported on another of the same cluster, and by no plan of a stranger. */
import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { describe, test } from 'node:test';
import type { FileTarget } from '../../../src/changeset/change-set.ts';
import { sha256 } from '../../../src/filesystem/regular-file.ts';
import { planText } from '../../../src/operations/rotation/plan-text.ts';
import type { RotationPlan } from '../../../src/operations/rotation/plan.ts';
import type { Rotation } from '../../../src/operations/rotation/rotation.ts';
import {
  exportRotation,
  importRotation,
  keysToSeal,
  openedKeys,
  requireTrustworthy,
  trustedForms,
  trustedCertificates,
  trustedIn,
  type ReceivingNode,
  type RotationTargets,
  type Transfer,
} from '../../../src/operations/rotation/transfer.ts';
import {
  encodeCertificates,
  type Certificate,
  type Chain,
} from '../../../src/pki/certificate/certificate.ts';
import { encodePrivateKey } from '../../../src/pki/key/private-key.ts';
import { readTransfer, writeTransfer } from '../../../src/transfer/transfer.ts';
import {
  crossOf,
  madeAuthority,
  newKey,
  planOf,
  selfSigned,
  type MadeAuthority,
} from '../../support/certificates/made-rotation.ts';

type Name = MadeAuthority['name'];

const [ca, etcd] = [madeAuthority('ca'), madeAuthority('etcd-ca')];
const plan: RotationPlan = {
  ...planOf([ca, etcd]),
  accepted: [{ condition: 'issued-clients', stage: 'distrust', time: '2026-11-30T12:00:00Z' }],
};
const strange = selfSigned('other', newKey());

function target(name: string, before?: string): FileTarget {
  const path = `/etc/kubernetes/pki/.kubepki/rotation/${name}`;
  const facts = { mode: 0o600, uid: 0, gid: 0, foreign: false, links: 1 };
  return {
    path,
    resolvedPath: path,
    before: before === undefined ? undefined : { ...facts, sha256: sha256(Buffer.from(before)) },
  };
}

function rotationOf(authorities: readonly MadeAuthority[], itsPlan: RotationPlan = plan): Rotation {
  return {
    plan: itsPlan,
    planFile: target('plan.json', planText(itsPlan)),
    authorities: authorities.map((one) => ({
      ...one,
      files: { old: target('old'), next: target('next'), cross: target('cross') },
      keys: { old: false, next: true },
    })),
  };
}

function filesOf(bundles: Partial<Record<Name, Chain>>): ReceivingNode['files'] {
  return new Map(
    (Object.entries(bundles) as [Name, Chain][]).map(([name, bundle]) => [
      name,
      { path: `/etc/kubernetes/pki/${name}.crt`, bundle },
    ]),
  );
}

function keysOf(keys: Partial<Record<Name, KeyObject>>): ReadonlyMap<Name, KeyObject> {
  return new Map(Object.entries(keys) as [Name, KeyObject][]);
}

/** Through the file, as it comes to another node. */
function transfer(bundles: Partial<Record<Name, Chain>> = { ca: [ca.old], 'etcd-ca': [etcd.old] }): Transfer {
  return readTransfer(writeTransfer(exportRotation(rotationOf([ca, etcd]), filesOf(bundles))));
}

const nothingThere: RotationTargets = {
  plan: target('plan.json'),
  of: (name, part) => target(`${name}.${part}`),
};

const controlPlane: ReceivingNode = {
  files: filesOf({ ca: [ca.old], 'etcd-ca': [etcd.old] }),
  keys: keysOf({ ca: ca.keys.old, 'etcd-ca': etcd.keys.old }),
  rotation: undefined,
};

function written(changes: ReturnType<typeof importRotation>): Record<string, string> {
  return Object.fromEntries(
    changes.map(({ target: { path }, after }) => {
      assert.deepEqual([after?.mode, after?.owner], [0o600, undefined]);
      return [path.replace(/^.*\//, ''), after?.content.toString() ?? ''];
    }),
  );
}

describe('what a CA’s file holds of a rotation', () => {
  test('is one of four forms, whatever else is in it', () => {
    for (const form of trustedForms) {
      const certificates = trustedCertificates(form, ca);
      assert.equal(trustedIn(ca, certificates), form);
      assert.equal(trustedIn(ca, [strange, ...certificates, strange]), form);
    }
    assert.equal(trustedIn(ca, [strange]), undefined);
    assert.equal(trustedIn(ca, []), undefined);
  });

  test('is exported, and of the rest nothing', () => {
    const { plan: itsPlan, authorities } = transfer({
      ca: [ca.next, ca.old, strange],
      'etcd-ca': [etcd.old, etcd.next],
    });
    assert.deepEqual(itsPlan, { ...plan, accepted: [] });
    assert.deepEqual(
      authorities.map(({ name, trusted }) => [name, trusted]),
      [
        ['ca', 'next-old'],
        ['etcd-ca', 'old-next'],
      ],
    );
  });

  test('where it is neither CA, nothing is exported', () => {
    assert.throws(() => transfer({ ca: [strange], 'etcd-ca': [etcd.old] }), {
      code: 'conflict',
      file: '/etc/kubernetes/pki/ca.crt',
    });
    assert.throws(() => transfer({ ca: [ca.old] }), { code: 'not-found', message: /etcd-ca/ });
  });
});

describe('another control plane', () => {
  test('gets the plan, the certificates and the keys of the new CAs', () => {
    const keys = keysOf({ ca: ca.keys.next, 'etcd-ca': etcd.keys.next });
    const opened = openedKeys(transfer(), keysToSeal([ca, etcd], keys));
    const changes = written(importRotation(transfer(), controlPlane, nothingThere, opened));
    assert.deepEqual(changes, {
      'plan.json': planText({ ...plan, accepted: [] }),
      'ca.old.crt': encodeCertificates([ca.old]),
      'ca.next.crt': encodeCertificates([ca.next]),
      'ca.cross.crt': encodeCertificates([ca.cross]),
      'ca.next.key': encodePrivateKey(ca.keys.next),
      'etcd-ca.old.crt': encodeCertificates([etcd.old]),
      'etcd-ca.next.crt': encodeCertificates([etcd.next]),
      'etcd-ca.cross.crt': encodeCertificates([etcd.cross]),
      'etcd-ca.next.key': encodePrivateKey(etcd.keys.next),
    });
  });

  test('without the keys gets what is public', () => {
    const changes = written(importRotation(transfer(), controlPlane, nothingThere));
    assert.equal(Object.keys(changes).length, 7);
    assert.equal(JSON.stringify(changes).includes('PRIVATE KEY'), false);
  });

  test('that has it all changes nothing, and keeps what its operator has accepted', () => {
    const first = written(importRotation(transfer(), controlPlane, nothingThere));
    const there: RotationTargets = {
      plan: target('plan.json', planText(plan)),
      of: (name, part) => target(`${name}.${part}`, first[`${name}.${part}`]),
    };
    const node = { ...controlPlane, rotation: rotationOf([ca, etcd]) };
    assert.deepEqual(importRotation(transfer(), node, there), []);
  });

  test('that knows the rotation and trusts the new CA alone gets it still', () => {
    const node = {
      files: filesOf({ ca: [ca.next], 'etcd-ca': [etcd.next] }),
      keys: keysOf({ ca: ca.keys.next, 'etcd-ca': etcd.keys.next }),
      rotation: rotationOf([ca, etcd]),
    };
    const opened = openedKeys(transfer(), keysToSeal([ca, etcd], node.keys));
    // The new key signs there: it is not kept beside.
    assert.equal(
      Object.keys(written(importRotation(transfer(), node, nothingThere, opened))).includes('ca.next.key'),
      false,
    );
  });

  test('that knows of another rotation is left alone', () => {
    const other = rotationOf([ca, etcd], { ...plan, id: 'fedcba9876543210' });
    assert.throws(() => importRotation(transfer(), { ...controlPlane, rotation: other }, nothingThere), {
      code: 'conflict',
      message: /another rotation/,
      hint: /plan\.json/,
    });
  });

  for (const [what, own] of [
    ['none', {}],
    ['only one of them', { ca: ca.keys.old }],
    ['others', { ca: newKey(), 'etcd-ca': newKey() }],
  ] as const) {
    test(`a node with the CAs’ keys: ${what}: is no control plane, and gets no key`, () => {
      const sent = keysOf({ ca: ca.keys.next, 'etcd-ca': etcd.keys.next });
      const node = { ...controlPlane, keys: keysOf(own) };
      assert.throws(() => importRotation(transfer(), node, nothingThere, sent), {
        code: 'bad-transfer',
        hint: /kubepki ca trust FILE/,
      });
    });
  }
});

describe('the keys', () => {
  test('that are not there cannot be sealed, nor can others', () => {
    assert.throws(() => keysToSeal([ca, etcd], keysOf({ ca: ca.keys.next })), {
      code: 'not-found',
      message: /new CA etcd-ca/,
    });
    assert.throws(() => keysToSeal([ca], keysOf({ ca: ca.keys.old })), { code: 'bad-key' });
  });

  test('that were sealed for another rotation are refused', () => {
    const pem = encodePrivateKey(etcd.keys.next);
    assert.throws(() => openedKeys(transfer(), [{ name: 'ca.next.key', pem }]), {
      code: 'bad-key',
      message: 'is not the key of the new CA ca',
    });
    assert.throws(() => openedKeys(transfer(), [{ name: 'sa.key', pem }]), { code: 'bad-key' });
    assert.throws(() => openedKeys(transfer(), [{ name: 'ca.next.key', pem: '' }]), { code: 'bad-key' });
  });
});

describe('a plan that somebody else has made', () => {
  /** A stranger makes the file as we would, with all that he can have: every certificate, and keys of his own. */
  function forged(changed: { old?: Certificate; next?: Certificate; cross?: Certificate }): Transfer {
    const made = { ...ca, ...changed };
    const rotation = rotationOf([made], planOf([made]));
    return readTransfer(writeTransfer(exportRotation(rotation, filesOf({ ca: [made.old, made.next] }))));
  }
  const evil = madeAuthority('ca');
  const key = newKey();
  const namesake = selfSigned('kubernetes', key);
  const worker = { files: filesOf({ ca: [ca.old] }), rotation: undefined };

  test('with CAs of his own is refused by every node', () => {
    const stranger = forged(evil);
    for (const bundle of [[ca.old], [ca.old, ca.next], [ca.next]] as const) {
      assert.throws(
        () => {
          requireTrustworthy(stranger, { files: filesOf({ ca: bundle }), rotation: undefined });
        },
        { code: 'bad-transfer', message: 'is about another CA than /etc/kubernetes/pki/ca.crt holds' },
      );
    }
    assert.throws(() => importRotation(stranger, controlPlane, nothingThere), { code: 'bad-transfer' });
  });

  test('that leads from the true CA to his own cannot be made', () => {
    for (const cross of [
      evil.cross,
      ca.cross,
      crossOf(namesake, key, evil.next),
      crossOf(evil.next, evil.keys.next, evil.next),
    ]) {
      assert.throws(() => forged({ next: evil.next, cross }), { code: 'bad-transfer' });
    }
  });

  test('that leads from his own CA to the true one is refused where the true one is all that is trusted', () => {
    // He needs no key of the cluster's for it: the cross-certificate is his own CA's word for a public certificate.
    const stranger = forged({ old: namesake, next: ca.next, cross: crossOf(namesake, key, ca.next) });
    for (const bundle of [[ca.next], [ca.old, ca.next]] as const) {
      assert.throws(
        () => {
          requireTrustworthy(stranger, { files: filesOf({ ca: bundle }), rotation: undefined });
        },
        { code: 'bad-transfer' },
      );
    }
  });

  test('about a CA that the node does not have is refused', () => {
    assert.throws(
      () => {
        requireTrustworthy(transfer(), {
          files: filesOf({ 'front-proxy-ca': [ca.old] }),
          rotation: undefined,
        });
      },
      { code: 'bad-transfer', message: /of which this node has none/ },
    );
  });

  test('the true one is taken, on a worker too', () => {
    requireTrustworthy(transfer(), worker);
    requireTrustworthy(transfer(), {
      files: filesOf({ ca: [strange, ca.next, ca.old] }),
      rotation: undefined,
    });
  });
});
