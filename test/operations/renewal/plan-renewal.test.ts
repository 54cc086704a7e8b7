import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { certificates } from '../../../src/catalog/catalog.ts';
import type { Inventory } from '../../../src/inventory/inventory.ts';
import { managedOn } from '../../../src/operations/node/node-kind.ts';
import {
  planRenewals,
  staysDue,
  type PlannedRenewal,
  type Renewable,
} from '../../../src/operations/renewal/plan-renewal.ts';
import { endsFirstWarnings, renewalWarnings } from '../../../src/operations/renewal/renewal-warnings.ts';
import type { SanSettings } from '../../../src/operations/names/change-sans.ts';
import { encodeCertificates } from '../../../src/pki/certificate/certificate.ts';
import { primitive } from '../../../src/pki/der/der.ts';
import { distinguishedName } from '../../../src/pki/der/name.ts';
import { extendedKeyUsage, keyUsage } from '../../../src/pki/extension/key-usage.ts';
import { extensionIds, findExtension, newExtension } from '../../../src/pki/extension/extension.ts';
import { parseSubjectAltName } from '../../../src/pki/extension/subject-alt-name.ts';
import { profileOf, sameProfile } from '../../../src/pki/issue/profile.ts';
import {
  authority,
  fixtureNode,
  inDays,
  leafOf,
  now,
  pki,
  plannedNode,
  read,
  reissue,
  remakeAuthority,
  specOf,
  stranger,
  withForeign,
} from '../../support/planners/planned-node.ts';
import { planRenewal, renewalSettings, saidBy, within } from '../../support/planners/planner-settings.ts';
import { copyFixture, type Tree } from '../../support/tree.ts';

type Status = PlannedRenewal['status'];
type Of<S extends Status> = Extract<PlannedRenewal, { readonly status: S }>;

function must<S extends Status>(planned: PlannedRenewal, status: S): Of<S> {
  const why = planned.status === 'refused' ? planned.error.oneLine : '';
  assert.equal(planned.status, status, why);
  return planned as Of<S>;
}

function renewableOf(planned: PlannedRenewal): Renewable {
  return must(planned, 'renewable').renewable;
}

type Settings = Parameters<typeof planRenewal>[2];

function refusal(inventory: Inventory, name: string, settings?: Settings): string {
  return saidBy(must(planRenewal(inventory, name, settings), 'refused').error, inventory);
}

/** `--add-san` and `--remove-san`, where nothing uses a name. */
function sans(add: readonly string[], remove: readonly string[] = []): { readonly sans: SanSettings } {
  const nothing = { status: 'missing' } as const;
  return {
    sans: {
      wish: {
        kind: 'edit',
        add: { dnsNames: add, ipAddresses: [] },
        remove: { dnsNames: remove, ipAddresses: [] },
      },
      sources: {
        kubeconfigs: [],
        pods: {
          etcd: nothing,
          'kube-apiserver': nothing,
          'kube-controller-manager': nothing,
          'kube-scheduler': nothing,
        },
      },
      force: false,
    },
  };
}

function paths(renewable: Renewable, tree: Tree): string[] {
  return renewable.place.changing.map(({ path }) => path.replace(`${tree.kubeconfigDir}/`, ''));
}

describe('what is renewed', () => {
  test('all that is there, each for what it says already, a year long from five minutes ago', () => {
    const tree = fixtureNode;
    const inventory = read(tree);
    const plan = planRenewals(inventory, certificates, renewalSettings(inventory));
    assert.deepEqual(
      plan.map(({ spec, status }) => [spec.name, status]),
      certificates.map(({ name }) => [name, name === 'super-admin.conf' ? 'missing' : 'renewable']),
    );
    for (const planned of plan) {
      if (planned.status !== 'renewable') continue;
      const { renewable } = planned;
      assert.ok(sameProfile(renewable.profile, profileOf(leafOf(tree, planned.spec.name))));
      assert.deepEqual(renewable.validity, {
        notBefore: new Date('2026-12-31T23:55:00Z'),
        notAfter: new Date('2028-01-01T00:00:00Z'),
        capped: false,
      });
      assert.deepEqual(renewable.keyAlgorithm, { type: 'ec', curve: 'P-256' });
      assert.deepEqual([renewable.sans, renewable.nameless], [undefined, false]);
      assert.deepEqual([renewable.warnings, renewable.kept], [[], []]);
    }
  });

  test('in the files where it is: a pair, a kubeconfig, or what a kubeconfig names', (t) => {
    const tree = plannedNode(t);
    assert.deepEqual(paths(renewableOf(planRenewal(read(tree), 'etcd-peer')), tree), [
      'pki/etcd/peer.key',
      'pki/etcd/peer.crt',
    ]);
    assert.deepEqual(paths(renewableOf(planRenewal(read(tree), 'admin.conf')), tree), ['admin.conf']);
    const naming = copyFixture(t, 'kubeconfig-files');
    assert.deepEqual(paths(renewableOf(planRenewal(read(naming), 'admin.conf')), naming), [
      'users/admin.key',
      'users/admin.crt',
    ]);
  });

  test('extensions that nothing here knows, and usages that are not enough, are carried over', (t) => {
    const tree = plannedNode(t);
    const unknown = newExtension('2a0304', false, primitive('octetString', Buffer.from('ours')));
    const { extensions } = profileOf(leafOf(tree, 'etcd-peer'));
    const usages = extendedKeyUsage(['serverAuth']);
    const made = reissue(tree, 'etcd-peer', {
      profile: { extensions: [unknown, usages, ...extensions.filter(({ id }) => id !== usages.id)] },
    });
    const { profile, kept } = renewableOf(planRenewal(read(tree), 'etcd-peer'));
    assert.ok(sameProfile(profile, profileOf(made)));
    assert.deepEqual(
      kept.map(({ check }) => check),
      ['usages'],
    );
  });

  test('with the configuration’s kind of key, or the old one’s where the cluster has nothing stronger', () => {
    const inventory = read(fixtureNode);
    const key = (name: 'RSA-2048' | 'ECDSA-P384', from: 'command-line' | 'cluster'): unknown => {
      const planned = planRenewal(inventory, 'apiserver', { encryptionAlgorithm: { name, from } });
      const { keyAlgorithm, warnings } = renewableOf(planned);
      return [keyAlgorithm, warnings.map((text) => text.replace(/^.*\.crt: /, ''))];
    };
    assert.deepEqual(key('RSA-2048', 'command-line'), [{ type: 'rsa', bits: 2048 }, []]);
    assert.deepEqual(key('RSA-2048', 'cluster'), [{ type: 'ec', curve: 'P-256' }, []]);
    assert.deepEqual(key('ECDSA-P384', 'cluster'), [
      { type: 'ec', curve: 'P-384' },
      ["the new key is ECDSA-P384, as the cluster's configuration says, the old one was ECDSA-P256"],
    ]);
  });

  test('as kubeadm does, without the old key; which a timer leaves to people until it is due', (t) => {
    const tree = plannedNode(t);
    rmSync(pki(tree, 'apiserver.key'));
    const inventory = read(tree);
    // The next one has a key: that fault ends here.
    assert.deepEqual(renewableOf(planRenewal(inventory, 'apiserver')).kept, []);
    must(planRenewal(inventory, 'apiserver', within(30)), 'unsound');
    renewableOf(planRenewal(inventory, 'apiserver', within(400)));
  });

  test('a server without a name goes on without one, which is told; a client needs none', (t) => {
    const tree = plannedNode(t);
    for (const name of ['apiserver', 'etcd-peer', 'front-proxy-client']) {
      const { extensions } = profileOf(leafOf(tree, name));
      const names = findExtension(extensions, 'subjectAltName');
      reissue(tree, name, { profile: { extensions: extensions.filter((one) => one !== names) } });
      assert.equal(renewableOf(planRenewal(read(tree), name)).nameless, name !== 'front-proxy-client', name);
    }
    assert.equal(renewableOf(planRenewal(read(tree), 'apiserver', sans(['a.example.com']))).nameless, false);
  });

  test('a kubeconfig gets the CAs of ca.crt that it lacks', (t) => {
    const tree = plannedNode(t);
    const old = authority(tree, 'ca').certificate;
    const next = remakeAuthority(tree, 'ca', { until: inDays(3650) });
    const { place } = renewableOf(planRenewal(read(tree), 'admin.conf'));
    assert.equal(place.trusting?.trusted.pem, encodeCertificates([next, old]));
  });

  test('other SANs: those that come and go, and nothing else', () => {
    const tree = fixtureNode;
    const old = profileOf(leafOf(tree, 'apiserver'));
    const { profile, sans: change } = renewableOf(
      planRenewal(read(tree), 'apiserver', sans(['new.example.com'], ['control-plane-1'])),
    );
    const names = parseSubjectAltName(findExtension(profile.extensions, 'subjectAltName'));
    const before = parseSubjectAltName(findExtension(old.extensions, 'subjectAltName'));
    assert.ok(names.includes('DNS:new.example.com'));
    assert.deepEqual(
      names.filter((name) => name !== 'DNS:new.example.com'),
      before.filter((name) => name !== 'DNS:control-plane-1'),
    );
    assert.deepEqual(
      [change?.edit?.added, change?.edit?.removed],
      [['DNS:new.example.com'], ['DNS:control-plane-1']],
    );
    const others = (all: typeof old): unknown =>
      all.extensions
        .filter(({ id }) => id !== extensionIds.subjectAltName)
        .map(({ der }) => der.toString('hex'));
    assert.deepEqual(others(profile), others(old));
  });
});

describe('what is missing or elsewhere', () => {
  test('missing comes before external, as with kubeadm', (t) => {
    const tree = plannedNode(t);
    for (const name of ['apiserver.crt', 'ca.key']) rmSync(pki(tree, name));
    must(planRenewal(read(tree), 'apiserver'), 'missing');
  });

  test('with an external etcd there is nothing of it here, whatever lies about', () => {
    const inventory = managedOn('control-plane', 'external', read(fixtureNode));
    for (const name of ['etcd-server', 'etcd-peer', 'etcd-healthcheck-client', 'apiserver-etcd-client']) {
      must(planRenewal(inventory, name), 'missing');
    }
    renewableOf(planRenewal(inventory, 'apiserver'));
  });

  test('an external CA is an outcome with its name; the other CAs sign', (t) => {
    const tree = plannedNode(t);
    rmSync(pki(tree, 'etcd/ca.key'));
    const { caBaseName } = must(planRenewal(read(tree), 'etcd-server'), 'external-ca');
    assert.equal(caBaseName, 'etcd/ca');
    renewableOf(planRenewal(read(tree), 'apiserver'));
    // Nothing is known of one that cannot be read.
    writeFileSync(pki(tree, 'etcd/peer.crt'), 'garbage\n');
    assert.equal(
      refusal(read(tree), 'etcd-peer'),
      'bad-pem: /etc/kubernetes/pki/etcd/peer.crt: is not PEM: no certificate found',
    );
  });
});

describe('what is refused', () => {
  const unfit = /^bad-issuer: \/etc\/kubernetes\/pki\/ca\.(?:crt|key): /;
  const authorities: readonly (readonly [string, (tree: Tree) => void, RegExp])[] = [
    [
      'a CA that has expired',
      (tree) => remakeAuthority(tree, 'ca', { until: inDays(-1) }),
      /the CA expired on 2026-12-31T00:00:00Z$/,
    ],
    [
      'a CA that is not valid yet',
      (tree) => remakeAuthority(tree, 'ca', { from: inDays(1) }),
      /the CA is not valid before 2027-01-02T00:00:00Z$/,
    ],
    [
      'a CA with the key of another',
      (tree) => {
        copyFileSync(pki(tree, 'front-proxy-ca.key'), pki(tree, 'ca.key'));
      },
      /ca\.key: does not belong to the CA certificate .*ca\.crt$/,
    ],
    [
      'a leaf in the place of the CA',
      (tree) => {
        for (const suffix of ['crt', 'key'])
          copyFileSync(pki(tree, `apiserver.${suffix}`), pki(tree, `ca.${suffix}`));
      },
      /is not a CA certificate/,
    ],
  ];
  for (const [what, breakIt, message] of authorities) {
    test(`${what}: all that it would sign, and nothing else`, (t) => {
      const tree = plannedNode(t);
      breakIt(tree);
      const inventory = read(tree);
      for (const name of ['apiserver', 'admin.conf']) {
        assert.match(refusal(inventory, name), unfit);
        assert.match(refusal(inventory, name), message);
      }
      renewableOf(planRenewal(inventory, 'etcd-server'));
    });
  }

  test('a CA that is not there, or cannot be read', (t) => {
    const tree = plannedNode(t);
    rmSync(pki(tree, 'ca.crt'));
    assert.match(refusal(read(tree), 'apiserver'), /^not-found: .*\/ca\.crt: no such file/);
    writeFileSync(pki(tree, 'ca.crt'), 'garbage\n');
    assert.match(refusal(read(tree), 'apiserver'), /^bad-pem: .*\/ca\.crt: is not PEM/);
    writeFileSync(pki(tree, 'etcd/ca.key'), 'garbage\n');
    assert.match(refusal(read(tree), 'etcd-peer'), /\/etcd\/ca\.key: is not PEM: no private key found$/);
  });

  test('a CA in the place of a leaf, and a leaf that may sign', (t) => {
    const tree = plannedNode(t);
    copyFileSync(pki(tree, 'ca.crt'), pki(tree, 'apiserver.crt'));
    assert.equal(
      refusal(read(tree), 'apiserver'),
      'bad-certificate: /etc/kubernetes/pki/apiserver.crt: is a CA certificate, not a leaf',
    );
    const { extensions } = profileOf(leafOf(tree, 'front-proxy-client'));
    const signs = keyUsage(['digitalSignature', 'keyCertSign']);
    reissue(tree, 'front-proxy-client', {
      profile: { extensions: extensions.map((one) => (one.id === signs.id ? signs : one)) },
    });
    assert.equal(
      refusal(read(tree), 'front-proxy-client'),
      'bad-certificate: /etc/kubernetes/pki/front-proxy-client.crt: asserts keyCertSign without being a CA',
    );
  });

  test('a key of a kind that kubeadm cannot make, until the command line names another', (t) => {
    const tree = plannedNode(t);
    const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-521' });
    reissue(tree, 'apiserver', { key });
    assert.match(
      refusal(read(tree), 'apiserver'),
      /^unsupported-key: .*\/apiserver\.crt: has a key of the kind .*521.*, which kubeadm cannot make$/,
    );
    const encryptionAlgorithm = { name: 'ECDSA-P256', from: 'command-line' } as const;
    renewableOf(planRenewal(read(tree), 'apiserver', { encryptionAlgorithm }));
  });

  test('what another CA has signed, until it is insisted upon: then made out to kubeadm’s name', (t) => {
    const tree = plannedNode(t);
    reissue(tree, 'apiserver', { by: stranger('kubernetes') });
    reissue(tree, 'front-proxy-client', {
      by: stranger('front-proxy-ca'),
      profile: { subject: distinguishedName(['system:masters'], 'somebody') },
    });
    const inventory = read(tree);
    assert.equal(
      refusal(inventory, 'apiserver'),
      `foreign-issuer: /etc/kubernetes/pki/apiserver.crt: is not signed by the CA of ${pki(tree, 'ca.crt').slice(tree.directory.length)}`,
    );
    const { error } = must(planRenewal(inventory, 'apiserver'), 'refused');
    assert.match(error.hint ?? '', /kubepki certs renew apiserver --force$/);
    const insisted = (name: string): Renewable =>
      renewableOf(planRenewal(inventory, name, { insisted: true }));
    const same = insisted('apiserver');
    assert.ok(same.profile.subject.equals(leafOf(tree, 'apiserver').subject));
    assert.match(same.warnings.join('\n'), /apiserver\.crt: is not signed by the CA of .*ca\.crt$/);
    const other = insisted('front-proxy-client');
    assert.ok(other.profile.subject.equals(distinguishedName([], 'front-proxy-client')));
    assert.match(
      other.warnings.join('\n'),
      /the next one is made out to CN=front-proxy-client, not to .*CN=somebody/,
    );
  });

  test('a kubeconfig of another CA whose directory was not named, even if insisted upon', (t) => {
    const tree = plannedNode(t);
    reissue(tree, 'admin.conf', { by: stranger('kubernetes') });
    const live = read(tree, { kubeconfigDirOrigin: 'default' });
    for (const insisted of [false, true]) {
      const { error } = must(planRenewal(live, 'admin.conf', { insisted }), 'refused');
      assert.match(
        saidBy(error, live),
        /^foreign-issuer: \/etc\/kubernetes\/admin\.conf: was signed by another CA than .*\/ca\.crt$/,
      );
      assert.match(error.hint ?? '', / --kubeconfig-dir \/etc\/kubernetes$/);
    }
    for (const kubeconfigDirOrigin of ['given', 'beside'] as const) {
      renewableOf(planRenewal(read(tree, { kubeconfigDirOrigin }), 'admin.conf', { insisted: true }));
    }
    // A kubeconfig of this CA is renewed as ever.
    renewableOf(planRenewal(live, 'scheduler.conf'));
  });

  test('another user’s file gains nothing: this CA, kubeadm’s name, and the key beside it', (t) => {
    const tree = plannedNode(t);
    renewableOf(planRenewal(withForeign(read(tree), 'apiserver'), 'apiserver'));
    rmSync(pki(tree, 'etcd/peer.key'));
    reissue(tree, 'front-proxy-client', { profile: { subject: distinguishedName([], 'kubernetes-admin') } });
    reissue(tree, 'scheduler.conf', { by: stranger('kubernetes') });
    for (const [name, why] of [
      ['etcd-peer', /has no private key beside it/],
      ['front-proxy-client', /is made out to CN=kubernetes-admin, not to CN=front-proxy-client/],
      ['scheduler.conf', /is not signed by the CA of/],
    ] as const) {
      const foreign = withForeign(read(tree), name);
      for (const insisted of [false, true]) {
        const said = refusal(foreign, name, { insisted });
        assert.match(said, /^no-permission: .*, so nothing is made for uid 1234, whose file this is$/);
        assert.match(said, why);
      }
    }
  });

  test('a file that is a CA’s, or that holds no key, though a kubeconfig names it for its key', (t) => {
    for (const [path, message] of [
      [
        '../pki/ca.key',
        /^conflict: .*\/pki\/ca\.key: is the file of a CA or of the service-account key, and is never/,
      ],
      ['admin.crt', /^conflict: .*users\/admin\.crt: holds no private key, so none is written there/],
    ] as const) {
      const tree = copyFixture(t, 'kubeconfig-files');
      const kubeconfig = join(tree.kubeconfigDir, 'admin.conf');
      const text = readFileSync(kubeconfig, 'utf8');
      writeFileSync(kubeconfig, text.replace(/client-key: .*/, `client-key: users/${path}`));
      assert.match(refusal(read(tree), 'admin.conf'), message);
    }
  });

  test('a kubeconfig in which something else shares what would change', (t) => {
    const tree = plannedNode(t);
    const kubeconfig = join(tree.kubeconfigDir, 'admin.conf');
    const text = readFileSync(kubeconfig, 'utf8');
    const shared = text.replace(/client-key-data: (\S+)/, 'client-key-data: &key $1\n    token: *key');
    writeFileSync(kubeconfig, shared);
    assert.match(refusal(read(tree), 'admin.conf'), /^bad-kubeconfig: \/etc\/kubernetes\/admin\.conf: /);
  });

  test('an extension that OpenSSL cannot read, and the next one would have', (t) => {
    const tree = plannedNode(t);
    const { extensions } = profileOf(leafOf(tree, 'front-proxy-client'));
    // 2.5.29.31, cRLDistributionPoints, which are a sequence.
    const malformed = newExtension('551d1f', false, primitive('octetString', Buffer.from('x')));
    reissue(tree, 'front-proxy-client', { profile: { extensions: [...extensions, malformed] } });
    assert.match(
      refusal(read(tree), 'front-proxy-client'),
      /^bad-certificate: .*\/front-proxy-client\.crt: has a malformed extension: OpenSSL would refuse/,
    );
  });

  test('that no name would be left; what is refused of one leaves the plan of another', (t) => {
    const tree = plannedNode(t);
    const { extensions } = profileOf(leafOf(tree, 'apiserver'));
    reissue(tree, 'apiserver', {
      profile: { extensions: extensions.filter(({ id }) => id !== extensionIds.subjectAltName) },
    });
    const named = renewableOf(planRenewal(read(tree), 'apiserver', sans(['only.example.com'])));
    reissue(tree, 'apiserver', { profile: named.profile });
    const inventory = read(tree);
    const settings = renewalSettings(inventory, sans([], ['only.example.com', 'localhost']));
    const [one, other] = planRenewals(inventory, [specOf('apiserver'), specOf('etcd-peer')], settings);
    assert.ok(one && other);
    assert.equal(
      saidBy(must(one, 'refused').error, inventory),
      'conflict: /etc/kubernetes/pki/apiserver.crt: would be left without a DNS name or an IP address among its SANs',
    );
    assert.deepEqual(must(other, 'renewable').renewable.sans?.edit?.removed, ['DNS:localhost']);
    // A name that is added in the same breath counts.
    const instead = sans(['other.example.com'], ['only.example.com']);
    renewableOf(planRenewal(inventory, 'apiserver', instead));
  });
});

describe('what rests', () => {
  test('due is what has at most that time left, and what has expired', (t) => {
    const tree = plannedNode(t);
    reissue(tree, 'apiserver', { until: inDays(30) });
    reissue(tree, 'etcd-peer', { until: new Date(inDays(30).getTime() + 1000) });
    reissue(tree, 'etcd-server', { until: inDays(-1) });
    const inventory = read(tree);
    renewableOf(planRenewal(inventory, 'apiserver', within(30)));
    renewableOf(planRenewal(inventory, 'etcd-server', within(30)));
    const { notAfter } = must(planRenewal(inventory, 'etcd-peer', within(30)), 'not-due');
    assert.deepEqual(notAfter, new Date(inDays(30).getTime() + 1000));
  });

  test('what is not due stops nothing, whatever its CA is; one that cannot be read does', (t) => {
    const tree = plannedNode(t);
    writeFileSync(pki(tree, 'ca.key'), 'garbage\n');
    writeFileSync(pki(tree, 'etcd/peer.crt'), 'garbage\n');
    const inventory = read(tree);
    must(planRenewal(inventory, 'apiserver', within(30)), 'not-due');
    assert.match(refusal(inventory, 'etcd-peer', within(30)), /^bad-pem: /);
    must(planRenewal(inventory, 'super-admin.conf', within(30)), 'missing');
  });

  test('what another CA has signed is left alone when it is due, too; not if insisted upon', (t) => {
    const tree = plannedNode(t);
    reissue(tree, 'apiserver', { by: stranger('kubernetes'), until: inDays(1) });
    const inventory = read(tree);
    const { findings } = must(planRenewal(inventory, 'apiserver', within(30)), 'unsound');
    assert.deepEqual(
      findings.map(({ name, check }) => [name, check]),
      [['apiserver', 'foreign']],
    );
    renewableOf(planRenewal(inventory, 'apiserver', { ...within(30), insisted: true }));
  });

  test('what is wrong otherwise is left alone until it is due, or insisted upon', (t) => {
    const tree = plannedNode(t);
    copyFileSync(pki(tree, 'etcd/peer.key'), pki(tree, 'etcd/server.key'));
    const plan = (settings: Settings): PlannedRenewal => planRenewal(read(tree), 'etcd-server', settings);
    const { findings } = must(plan(within(30)), 'unsound');
    assert.deepEqual(
      findings.map(({ check }) => check),
      ['key-other'],
    );
    renewableOf(plan({ ...within(30), insisted: true }));
    renewableOf(plan(within(365)));
    // Without a window nothing rests.
    renewableOf(plan({}));
  });

  test('SANs that are there already: nothing to do, unless it is due', () => {
    const tree = fixtureNode;
    const inventory = read(tree);
    const wish = sans(['kubernetes'], ['never.example.com']);
    const { sans: change } = must(planRenewal(inventory, 'apiserver', wish), 'same-sans');
    assert.deepEqual(
      [change.edit, change.alreadyThere, change.notThere],
      [undefined, ['DNS:kubernetes'], ['DNS:never.example.com']],
    );
    must(planRenewal(inventory, 'apiserver', { ...wish, ...within(30) }), 'not-due');
    renewableOf(planRenewal(inventory, 'apiserver', { ...wish, ...within(365) }));
    renewableOf(planRenewal(inventory, 'apiserver', { ...sans(['new.example.com']), ...within(30) }));
  });
});

describe('a CA that ends', () => {
  test('no certificate outlives it, nor begins before it, which is said once for each CA', (t) => {
    const tree = plannedNode(t);
    remakeAuthority(tree, 'ca', { from: new Date(now.getTime() - 60_000), until: inDays(90) });
    remakeAuthority(tree, 'front-proxy-ca', { until: inDays(364) });
    const inventory = read(tree);
    const names = ['apiserver', 'admin.conf', 'front-proxy-client', 'etcd-peer'];
    const plan = names.map((name) => renewableOf(planRenewal(inventory, name)));
    assert.deepEqual(plan[0]?.validity, {
      notBefore: new Date(now.getTime() - 60_000),
      notAfter: inDays(90),
      capped: true,
    });
    assert.deepEqual(
      plan.map(({ validity }) => [validity.capped, validity.notAfter]),
      [
        [true, inDays(90)],
        [true, inDays(90)],
        [true, inDays(364)],
        [false, inDays(365)],
      ],
    );
    assert.deepEqual(
      renewalWarnings(plan).map(({ text }) => text.replaceAll(tree.directory, '')),
      [
        '/etc/kubernetes/pki/ca.crt: the CA ends on 2027-04-01T00:00:00Z, and with it: apiserver, admin.conf',
        '/etc/kubernetes/pki/front-proxy-ca.crt: the CA ends on 2027-12-31T00:00:00Z, and with it: front-proxy-client',
      ],
    );
  });

  test('a renewal that would not make it last longer is no renewal for a timer', (t) => {
    const tree = plannedNode(t);
    for (const [name, days] of [
      ['apiserver', 20],
      ['apiserver-kubelet-client', 10],
      ['scheduler.conf', 21],
      ['admin.conf', 20],
    ] as const) {
      reissue(tree, name, { until: inDays(days) });
    }
    remakeAuthority(tree, 'ca', { until: inDays(20) });
    copyFileSync(pki(tree, 'etcd/peer.key'), pki(tree, 'etcd/server.key'));
    const inventory = read(tree);
    const plan = (name: string, settings: Settings = within(30)): PlannedRenewal =>
      planRenewal(inventory, name, settings);
    const held = ['apiserver', 'admin.conf', 'scheduler.conf'].map((name) =>
      must(plan(name), 'ca-ends-first'),
    );
    assert.deepEqual(
      held.map(({ end }) => [end.leafNotAfter, end.caNotAfter]),
      [
        [inDays(20), inDays(20)],
        [inDays(20), inDays(20)],
        [inDays(21), inDays(20)],
      ],
    );
    assert.deepEqual(
      endsFirstWarnings(held).map(({ text }) => text.replaceAll(tree.directory, '')),
      [
        '/etc/kubernetes/pki/ca.crt: the CA ends on 2027-01-21T00:00:00Z: renew it first, as a renewal would not make these last longer: apiserver, admin.conf, scheduler.conf',
      ],
    );
    // It lasts ten days longer, and is due again at once.
    const longer = plan('apiserver-kubelet-client');
    renewableOf(longer);
    const { due } = within(30);
    assert.equal(staysDue([longer], due), true);
    assert.equal(staysDue(held, due), true);
    assert.equal(staysDue([longer, ...held], undefined), false);
    assert.equal(staysDue([longer], within(19).due), false);
    assert.equal(staysDue([plan('etcd-peer'), plan('etcd-peer', {})], due), false);
    // So short was asked for: no CA ends.
    assert.equal(staysDue([plan('etcd-peer', { validityMs: 20 * 24 * 3600 * 1000 })], due), false);
    // Asked for by a person, or for another reason.
    renewableOf(plan('apiserver', {}));
    renewableOf(plan('apiserver', { ...within(30), ...sans(['new.example.com']) }));
  });

  test('it is one for what is wrong otherwise', (t) => {
    const tree = plannedNode(t);
    reissue(tree, 'apiserver', { until: inDays(20) });
    remakeAuthority(tree, 'ca', { until: inDays(20) });
    rmSync(pki(tree, 'apiserver.key'));
    renewableOf(planRenewal(read(tree), 'apiserver', within(30)));
  });
});

describe('what is said beforehand', () => {
  test('a holder that no kubeadm has given it, and another name of the file', (t) => {
    const tree = plannedNode(t);
    reissue(tree, 'admin.conf', { profile: { subject: distinguishedName(['ops'], 'jane') } });
    linkSync(pki(tree, 'apiserver.key'), pki(tree, 'apiserver.key.copy'));
    const said = (name: string): string[] =>
      renewableOf(planRenewal(read(tree), name)).warnings.map((text) => text.replaceAll(tree.directory, ''));
    assert.deepEqual(said('admin.conf'), [
      '/etc/kubernetes/admin.conf: is made out to CN=jane, O=ops, where kubeadm has CN=kubernetes-admin, O=kubeadm:cluster-admins or CN=kubernetes-admin, O=system:masters',
    ]);
    assert.deepEqual(said('apiserver'), [
      '/etc/kubernetes/pki/apiserver.key: has other names (hard links), which keep the old content',
    ]);
    // Those of before 1.29 are kubeadm's as well.
    reissue(tree, 'admin.conf', {
      profile: { subject: distinguishedName(['system:masters'], 'kubernetes-admin') },
    });
    assert.deepEqual(said('admin.conf'), []);
  });
});
