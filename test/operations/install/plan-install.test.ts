import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { KubepkiError } from '../../../src/errors/error.ts';
import {
  planInstall,
  stillNeeded,
  type Installable,
  type PlannedInstall,
} from '../../../src/operations/install/plan-install.ts';
import { strangers } from '../../../src/operations/install/pending.ts';
import { encodeCertificates, type Certificate } from '../../../src/pki/certificate/certificate.ts';
import { distinguishedName } from '../../../src/pki/der/name.ts';
import { extendedKeyUsage, keyUsage } from '../../../src/pki/extension/key-usage.ts';
import { extensionIds, type Extension } from '../../../src/pki/extension/extension.ts';
import { subjectAltName } from '../../../src/pki/extension/subject-alt-name.ts';
import { issueAuthority, randomSerialNumber } from '../../../src/pki/issue/issue.ts';
import { profileOf, withExtension, type CertificateProfile } from '../../../src/pki/issue/profile.ts';
import { keyDigest } from '../../../src/pki/key/public-key.ts';
import { encodePrivateKey, generatePrivateKey, publicKeyOf } from '../../../src/pki/key/private-key.ts';
import {
  authority,
  inDays,
  issueFor,
  keyOf,
  layRequest,
  leafOf,
  ofAnotherUser,
  pki,
  plannedNode,
  read,
  reissue,
  remakeAuthority,
  spareKey,
  specOf,
  stranger,
  type Issuing,
} from '../../support/planners/planned-node.ts';
import { installSettings, planInstallOf, saidBy } from '../../support/planners/planner-settings.ts';
import { copyFixture, type Cleanup, type Tree } from '../../support/tree.ts';

const anotherKey = await generatePrivateKey({ type: 'ec', curve: 'P-256' });

type Status = PlannedInstall['status'];
type Of<S extends Status> = Extract<PlannedInstall, { readonly status: S }>;
type Settings = Parameters<typeof planInstallOf>[3];

function must<S extends Status>(planned: PlannedInstall, status: S): Of<S> {
  const why = planned.status === 'refused' ? planned.errors.map(({ oneLine }) => oneLine).join('\n') : '';
  assert.equal(planned.status, status, why);
  return planned as Of<S>;
}

/** A node with a CSR dir, in which requests wait with their keys. */
function csrNode(t: Cleanup, ...names: readonly string[]): { readonly tree: Tree; readonly csr: string } {
  const tree = plannedNode(t);
  const csr = join(tree.directory, 'csr');
  mkdirSync(csr);
  for (const name of names) layRequest(tree, csr, name);
  return { tree, csr };
}

/** What a CA makes of a request that is made with the spare key: what was asked for, a year long, if nothing else is said. */
function sign(tree: Tree, path: string, name: string, issuing: Issuing = {}): Certificate {
  const made = issueFor(tree, name, { key: spareKey, until: inDays(365), ...issuing });
  writeFileSync(path, encodeCertificates([made]));
  return made;
}

function plan(tree: Tree, directory: string, name: string, settings?: Settings): PlannedInstall {
  return planInstallOf(read(tree), directory, name, settings);
}

function installableOf(planned: PlannedInstall): Installable {
  return must(planned, 'installable').installable;
}

function refusals(tree: Tree, directory: string, name: string, settings?: Settings): readonly string[] {
  const inventory = read(tree);
  const { errors } = must(planInstallOf(inventory, directory, name, settings), 'refused');
  return errors.map((error) => saidBy(error, inventory));
}

function theError(planned: PlannedInstall): KubepkiError {
  const [error, another] = must(planned, 'refused').errors;
  assert.ok(error !== undefined && another === undefined);
  return error;
}

const withSans = (tree: Tree, name: string, names: Extension | undefined): CertificateProfile => {
  const profile = profileOf(leafOf(tree, name));
  const without = profile.extensions.filter(({ id }) => id !== extensionIds.subjectAltName);
  return { ...profile, extensions: names === undefined ? without : [...without, names] };
};

describe('what is installed', () => {
  test('a certificate that is as asked for goes where the one in use is, with its key', (t) => {
    for (const [name, base] of [
      ['apiserver', 'apiserver'],
      ['etcd-peer', 'etcd/peer'],
    ] as const) {
      const { tree, csr } = csrNode(t, name);
      const signed = sign(tree, join(csr, `${name}.crt`), name);
      const made = installableOf(plan(tree, csr, name));
      assert.deepEqual(
        made.chain.map(({ der }) => der),
        [signed.der],
      );
      assert.ok(made.pending.key.equals(spareKey));
      assert.equal(made.pending.keyFile.path, join(csr, `${name}.key`));
      assert.deepEqual([made.inPlace, made.warnings], [false, []]);
      assert.deepEqual(
        made.place.targets.map(({ path }) => path),
        [pki(tree, `${base}.crt`), pki(tree, `${base}.key`)],
      );
    }
  });

  test('into a kubeconfig, or into the files that it names', (t) => {
    const { tree, csr } = csrNode(t, 'admin.conf');
    sign(tree, join(csr, 'admin.conf.crt'), 'admin.conf');
    const { place } = installableOf(plan(tree, csr, 'admin.conf'));
    assert.deepEqual(
      place.changing.map(({ path }) => path),
      [join(tree.kubeconfigDir, 'admin.conf')],
    );
    const naming = copyFixture(t, 'kubeconfig-files');
    const there = join(naming.directory, 'csr');
    mkdirSync(there);
    layRequest(naming, there, 'admin.conf');
    sign(naming, join(there, 'admin.conf.crt'), 'admin.conf', { until: inDays(365 * 40) });
    const named = installableOf(plan(naming, there, 'admin.conf')).place;
    assert.deepEqual(
      named.changing.map(({ path }) => path),
      ['users/admin.key', 'users/admin.crt'].map((path) => join(naming.kubeconfigDir, path)),
    );
  });

  test('in the cert dir beside the key in use, in the one file or the other', (t) => {
    const tree = plannedNode(t);
    layRequest(tree, tree.certDir, 'apiserver', { beside: true });
    must(plan(tree, tree.certDir, 'apiserver'), 'pending');
    sign(tree, pki(tree, 'apiserver.crt.new'), 'apiserver');
    assert.deepEqual(installableOf(plan(tree, tree.certDir, 'apiserver')).warnings, []);
    rmSync(pki(tree, 'apiserver.crt.new'));
    // Beside its CSR another program's name for it will do.
    sign(tree, pki(tree, 'apiserver.pem'), 'apiserver');
    assert.deepEqual(installableOf(plan(tree, tree.certDir, 'apiserver')).warnings, []);
  });

  test('whatever its file is called, by its key, which is said', (t) => {
    const { tree, csr } = csrNode(t, 'etcd-server');
    layRequest(tree, csr, 'etcd-peer', { key: anotherKey });
    sign(tree, join(csr, 'etcd-peer.crt'), 'etcd-server');
    sign(tree, join(csr, 'etcd-server.crt'), 'etcd-peer', { key: anotherKey });
    for (const [name, other] of [
      ['etcd-server', 'etcd-peer'],
      ['etcd-peer', 'etcd-server'],
    ] as const) {
      assert.deepEqual(installableOf(plan(tree, csr, name)).warnings, [
        `${join(csr, `${other}.crt`)}: holds the certificate for ${name}, by its key`,
      ]);
    }
    // What was named as a bundle may hold any.
    const { resolvedPath } = installableOf(plan(tree, csr, 'etcd-server')).source;
    assert.deepEqual(installableOf(plan(tree, csr, 'etcd-server', { bundle: resolvedPath })).warnings, []);
  });

  test('of two for one key the one that ends last, and the other is named', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    sign(tree, join(csr, 'apiserver.crt'), 'apiserver', { until: inDays(364) });
    const last = sign(tree, join(csr, 'apiserver.pem'), 'apiserver');
    const made = installableOf(plan(tree, csr, 'apiserver'));
    assert.deepEqual(made.chain[0].der, last.der);
    assert.deepEqual(made.warnings, [
      `${join(csr, 'apiserver.pem')}: the certificate for apiserver is taken, and not the one in ${join(csr, 'apiserver.crt')}, which ends no later`,
    ]);
    // The same one in two formats needs no word.
    copyFileSync(join(csr, 'apiserver.pem'), join(csr, 'apiserver.crt'));
    assert.deepEqual(installableOf(plan(tree, csr, 'apiserver')).warnings, []);
  });

  test('without the CA that a signer has put behind it', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    const signed = issueFor(tree, 'apiserver', { key: spareKey });
    const ca = authority(tree, 'ca').certificate;
    writeFileSync(join(csr, 'apiserver.crt'), encodeCertificates([signed, ca]));
    const { chain } = installableOf(plan(tree, csr, 'apiserver'));
    assert.deepEqual(
      chain.map(({ der }) => der),
      [signed.der],
    );
  });

  test('a kubeconfig gets the CAs that it lacks', (t) => {
    const { tree, csr } = csrNode(t, 'admin.conf');
    const old = authority(tree, 'ca').certificate;
    const next = remakeAuthority(tree, 'ca', { until: inDays(3650) });
    sign(tree, join(csr, 'admin.conf.crt'), 'admin.conf');
    const { place } = installableOf(plan(tree, csr, 'admin.conf'));
    assert.equal(place.trusting?.trusted.pem, encodeCertificates([next, old]));
  });

  test('without its CSR, by what the certificate in use says', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    rmSync(join(csr, 'apiserver.csr'));
    sign(tree, join(csr, 'apiserver.crt'), 'apiserver');
    const { pending } = installableOf(plan(tree, csr, 'apiserver'));
    assert.equal(pending.requestFile, undefined);
  });

  test('that it ends before the one in use, or says odd things, is a warning', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    const warnings = (issuing: Issuing): string[] => {
      sign(tree, join(csr, 'apiserver.crt'), 'apiserver', issuing);
      return installableOf(plan(tree, csr, 'apiserver')).warnings.map((text) =>
        text.replace(`${join(csr, 'apiserver.crt')}: the certificate for apiserver `, ''),
      );
    };
    assert.deepEqual(warnings({ until: inDays(90) }), [
      'ends on 2027-04-01T00:00:00Z, before the one in use (2027-11-01T00:00:00Z)',
    ]);
    const profile = profileOf(leafOf(tree, 'apiserver'));
    assert.deepEqual(warnings({ profile: withExtension(profile, keyUsage(['keyEncipherment'])) }), [
      'has a keyUsage without digitalSignature, which some TLS clients refuse',
    ]);
    const subject = distinguishedName([], 'api');
    reissue(tree, 'apiserver', { profile: { subject } });
    layRequest(tree, csr, 'apiserver');
    assert.deepEqual(warnings({}), ['is made out to CN=api, where kubeadm has CN=kube-apiserver']);
  });
});

describe('what is not there yet', () => {
  test('nothing was asked for: idle, whatever lies about', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    sign(tree, join(csr, 'etcd-peer.crt'), 'etcd-peer');
    must(plan(tree, csr, 'etcd-peer'), 'idle');
    must(plan(tree, tree.certDir, 'apiserver'), 'idle');
  });

  test('not signed yet: pending, and where it is expected', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    const { certificatePath } = must(plan(tree, csr, 'apiserver'), 'pending');
    assert.equal(certificatePath, join(csr, 'apiserver.crt'));
    // Another's certificate is no answer, nor is the one in use.
    sign(tree, join(csr, 'apiserver.crt'), 'apiserver', { key: anotherKey });
    must(plan(tree, csr, 'apiserver'), 'pending');
    copyFileSync(pki(tree, 'apiserver.crt'), join(csr, 'apiserver.crt'));
    must(plan(tree, csr, 'apiserver'), 'pending');
  });

  test('the pair in use, copied away with a CSR of it, is nothing to install', (t) => {
    const { tree, csr } = csrNode(t);
    for (const suffix of ['crt', 'key'])
      copyFileSync(pki(tree, `apiserver.${suffix}`), join(csr, `apiserver.${suffix}`));
    layRequest(tree, csr, 'apiserver', { key: keyOf(tree, 'apiserver'), keyFile: false });
    assert.notEqual(plan(tree, csr, 'apiserver').status, 'installable');
  });

  test('what lies in its place but cannot be read is refused', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    writeFileSync(join(csr, 'apiserver.crt'), 'garbage\n');
    assert.deepEqual(refusals(tree, csr, 'apiserver'), [
      'bad-pem: /csr/apiserver.crt: is not PEM: no certificate found',
    ]);
  });
});

describe('put in place by hand', () => {
  /** As `generate-csr` leaves a node: the key and the CSR where they are used. */
  function generated(t: Cleanup): Tree {
    const tree = plannedNode(t);
    layRequest(tree, tree.certDir, 'apiserver', { key: keyOf(tree, 'apiserver'), keyFile: false });
    return tree;
  }

  test('it has been checked, and is there', (t) => {
    const tree = generated(t);
    const made = installableOf(plan(tree, tree.certDir, 'apiserver'));
    assert.deepEqual([made.inPlace, made.warnings], [true, []]);
    assert.equal(made.source.path, pki(tree, 'apiserver.crt'));
  });

  test('it may end tomorrow, as it replaces nothing; one that has ended is what the CSR asks to replace', (t) => {
    const tree = generated(t);
    reissue(tree, 'apiserver', { until: inDays(0.5) });
    assert.equal(installableOf(plan(tree, tree.certDir, 'apiserver')).inPlace, true);
    reissue(tree, 'apiserver', { until: inDays(-1) });
    const { certificatePath } = must(plan(tree, tree.certDir, 'apiserver'), 'pending');
    assert.ok([pki(tree, 'apiserver.crt'), pki(tree, 'apiserver.crt.new')].includes(certificatePath));
  });

  test('what is wrong with it is refused', (t) => {
    const tree = generated(t);
    reissue(tree, 'apiserver', { by: stranger('kubernetes') });
    assert.match(refusals(tree, tree.certDir, 'apiserver').join('\n'), /is not signed by the CA of/);
  });

  test('over the old one, with its new key still waiting', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    sign(tree, join(csr, 'apiserver.crt'), 'apiserver');
    copyFileSync(join(csr, 'apiserver.crt'), pki(tree, 'apiserver.crt'));
    const made = installableOf(plan(tree, csr, 'apiserver'));
    assert.ok(made.pending.key.equals(spareKey));
    assert.equal(made.inPlace, false);
  });
});

describe('what a CA has got wrong is refused', () => {
  interface Wrong {
    readonly what: string;
    readonly signed: (tree: Tree) => Issuing;
    /** Behind `the certificate for apiserver`. */
    readonly message: RegExp;
    /** What the CA must do. */
    readonly hint: RegExp;
  }
  const of = (tree: Tree): CertificateProfile => profileOf(leafOf(tree, 'apiserver'));
  const wrongs: readonly Wrong[] = [
    {
      what: 'signed by another CA on disk',
      signed: (tree) => ({ by: authority(tree, 'etcd-ca') }),
      message: /^is not signed by the CA of .*\/ca\.crt$/,
      hint: /^sign the CSR with the key of .*\/ca\.crt; where an intermediate CA signs, put its certificate behind/,
    },
    {
      what: 'signed by a stranger of the same name',
      signed: () => ({ by: stranger('kubernetes') }),
      message: /^is not signed by the CA of .*\/ca\.crt$/,
      hint: /^sign the CSR with the key of /,
    },
    {
      what: 'expired',
      signed: () => ({ until: inDays(-1) }),
      message: /^expired on 2026-12-31T00:00:00Z$/,
      hint: /^have the CSR signed again, with an end in the future$/,
    },
    {
      what: 'not yet valid',
      signed: () => ({ from: inDays(1) }),
      message: /^is not valid before 2027-01-02T00:00:00Z$/,
      hint: /beginning in the past, or check this machine's clock and the CA's$/,
    },
    {
      what: 'for a day',
      signed: () => ({ until: inDays(1) }),
      message: /^ends on 2027-01-02T00:00:00Z, which is within 24 hours$/,
      hint: /^have the CSR signed again, for longer/,
    },
    {
      what: 'for a week, where the one in use has months',
      signed: () => ({ until: inDays(7) }),
      message:
        /^ends on 2027-01-08T00:00:00Z, which is within 7 days, and the one in use on 2027-11-01T00:00:00Z$/,
      hint: /^have the CSR signed again, for longer/,
    },
    {
      what: 'with another subject',
      signed: () => ({ profile: { subject: distinguishedName(['system:masters'], 'kube-apiserver') } }),
      message: /^has another subject than the CSR: added O=system:masters$/,
      hint: /^the CA must take the subject from the CSR as it is/,
    },
    {
      what: 'with the SANs left out',
      signed: (tree) => ({ profile: withSans(tree, 'apiserver', undefined) }),
      message:
        /^has other SANs than the CSR: missing DNS:control-plane-1, DNS:kubernetes, IP:fd00:10:96::1, /,
      hint: /copy_extensions = copy; certtool: honor_crq_extensions\)$/,
    },
    {
      what: 'with other SANs',
      signed: (tree) => ({
        profile: withSans(tree, 'apiserver', subjectAltName(['kubernetes', 'added.example.com'], [])),
      }),
      message:
        /^has other SANs than the CSR: missing DNS:control-plane-1, .*; added DNS:added\.example\.com$/,
      hint: /; if the difference is wanted: --allow-changes$/,
    },
    {
      what: 'for another use',
      signed: (tree) => ({ profile: withExtension(of(tree), extendedKeyUsage(['clientAuth'])) }),
      message: /^lacks the extended key usage serverAuth$/,
      hint: /^the CA must set extendedKeyUsage to serverAuth/,
    },
    {
      what: 'that may sign itself',
      signed: (tree) => ({ profile: withExtension(of(tree), keyUsage(['digitalSignature', 'keyCertSign'])) }),
      message: /keyCertSign/,
      hint: /^the CA must set basicConstraints to CA:FALSE and leave keyCertSign out/,
    },
  ];
  for (const { what, signed, message, hint } of wrongs) {
    test(what, (t) => {
      const { tree, csr } = csrNode(t, 'apiserver');
      sign(tree, join(csr, 'apiserver.crt'), 'apiserver', signed(tree));
      const error = theError(plan(tree, csr, 'apiserver'));
      assert.deepEqual([error.code, error.file], ['bad-certificate', join(csr, 'apiserver.crt')]);
      const [, said = ''] = /^the certificate for apiserver (.*)$/.exec(error.message) ?? [];
      assert.match(said, message);
      assert.match(error.hint ?? '', hint);
    });
  }

  test('a CA certificate', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    const ca = issueAuthority({
      ...{ commonName: 'kube-apiserver', privateKey: spareKey, serialNumber: randomSerialNumber() },
      ...{ notBefore: inDays(-1), notAfter: inDays(365) },
    });
    writeFileSync(join(csr, 'apiserver.crt'), encodeCertificates([ca]));
    assert.match(refusals(tree, csr, 'apiserver').join('\n'), /is a CA certificate \(CA:TRUE\)/);
  });

  test('everything at once, each with its remedy', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    const profile = withExtension(withSans(tree, 'apiserver', undefined), extendedKeyUsage(['clientAuth']));
    const subject = distinguishedName([], 'api');
    sign(tree, join(csr, 'apiserver.crt'), 'apiserver', {
      ...{ by: stranger('kubernetes'), until: inDays(1), profile: { ...profile, subject } },
    });
    const said = refusals(tree, csr, 'apiserver');
    for (const one of [/is not signed/, /usage serverAuth/, /another subject/, /other SANs/, /24 hours/]) {
      assert.equal(said.filter((text) => one.test(text)).length, 1, String(one));
    }
  });

  test('--allow-changes takes other SANs with a warning, but never none, nor anything else', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver', 'front-proxy-client');
    const path = join(csr, 'apiserver.crt');
    const allowChanges = true;
    const names = subjectAltName(['kubernetes'], []);
    sign(tree, path, 'apiserver', { profile: withSans(tree, 'apiserver', names) });
    const { warnings } = installableOf(plan(tree, csr, 'apiserver', { allowChanges }));
    assert.match(warnings.join('\n'), /other SANs than the CSR: missing DNS:control-plane-1, /);
    sign(tree, path, 'apiserver', { profile: withSans(tree, 'apiserver', undefined) });
    const { hint } = theError(plan(tree, csr, 'apiserver', { allowChanges }));
    assert.doesNotMatch(hint ?? '', /allow-changes/);
    const subject = distinguishedName([], 'api');
    sign(tree, path, 'apiserver', { profile: { ...withSans(tree, 'apiserver', names), subject } });
    assert.match(refusals(tree, csr, 'apiserver', { allowChanges }).join('\n'), /another subject/);
  });

  test('with a week left it will do where the one in use has not thirty days either', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    reissue(tree, 'apiserver', { until: inDays(20) });
    sign(tree, join(csr, 'apiserver.crt'), 'apiserver', { until: inDays(7) });
    assert.match(installableOf(plan(tree, csr, 'apiserver')).warnings.join('\n'), /before the one in use/);
  });
});

describe('requests that are not as they were made', () => {
  test('two of one certificate that have both been signed', (t) => {
    const tree = plannedNode(t);
    layRequest(tree, tree.certDir, 'etcd-peer');
    sign(tree, pki(tree, 'etcd-peer.crt'), 'etcd-peer');
    layRequest(tree, tree.certDir, 'etcd-peer', { key: anotherKey, keyFile: false });
    renameSync(pki(tree, 'etcd-peer.csr'), pki(tree, 'etcd/peer.csr'));
    writeFileSync(pki(tree, 'etcd/peer.key.new'), encodePrivateKey(anotherKey));
    layRequest(tree, tree.certDir, 'etcd-peer');
    // One is signed: it is taken.
    installableOf(plan(tree, tree.certDir, 'etcd-peer'));
    sign(tree, pki(tree, 'etcd/peer.crt.new'), 'etcd-peer', { key: anotherKey });
    const error = theError(plan(tree, tree.certDir, 'etcd-peer'));
    assert.deepEqual(
      [error.code, error.message, error.hint],
      [
        'conflict',
        'two requests for etcd-peer have been signed',
        'move the one away that is not wanted, with its CSR and key',
      ],
    );
  });

  const broken: readonly (readonly [string, (tree: Tree, csr: string) => void, RegExp])[] = [
    [
      'the key is gone',
      (_, csr) => {
        rmSync(join(csr, 'apiserver.key'));
      },
      /^conflict: \/csr\/apiserver\.csr: was made with a key that is not beside it$/,
    ],
    [
      'the key is another',
      (_, csr) => {
        writeFileSync(join(csr, 'apiserver.key'), encodePrivateKey(anotherKey));
      },
      /^conflict: \/csr\/apiserver\.csr: was made with a key that is not beside it$/,
    ],
    [
      'the key cannot be read',
      (_, csr) => {
        writeFileSync(join(csr, 'apiserver.key'), 'garbage\n');
      },
      /^bad-key|^bad-pem: \/csr\/apiserver\.key: /,
    ],
    [
      'the CSR cannot be read',
      (_, csr) => {
        writeFileSync(join(csr, 'apiserver.csr'), 'garbage\n');
      },
      /^bad-pem: \/csr\/apiserver\.csr: is not PEM: no certificate request found$/,
    ],
    [
      'the CSR is gone, and nothing in use says what was asked for',
      (tree, csr) => {
        rmSync(join(csr, 'apiserver.csr'));
        writeFileSync(pki(tree, 'apiserver.crt'), 'damaged');
      },
      /^conflict: \/csr\/apiserver\.crt: is signed, but the CSR for apiserver is gone, and no certificate in use says/,
    ],
  ];
  for (const [what, breakIt, message] of broken) {
    test(what, (t) => {
      const { tree, csr } = csrNode(t, 'apiserver');
      sign(tree, join(csr, 'apiserver.crt'), 'apiserver');
      breakIt(tree, csr);
      assert.match(refusals(tree, csr, 'apiserver').join('\n'), message);
    });
  }

  test('no CA to check against', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    sign(tree, join(csr, 'apiserver.crt'), 'apiserver');
    rmSync(pki(tree, 'ca.crt'));
    assert.match(
      refusals(tree, csr, 'apiserver').join('\n'),
      /^not-found: \/etc\/kubernetes\/pki\/ca\.crt: /,
    );
    writeFileSync(pki(tree, 'ca.crt'), 'garbage\n');
    assert.match(refusals(tree, csr, 'apiserver').join('\n'), /^bad-pem: \/etc\/kubernetes\/pki\/ca\.crt: /);
  });
});

describe('where it would go', () => {
  test('never into the file of a CA, or of the service-account key', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    sign(tree, join(csr, 'apiserver.crt'), 'apiserver');
    rmSync(pki(tree, 'apiserver.key'));
    symlinkSync('ca.key', pki(tree, 'apiserver.key'));
    assert.match(
      refusals(tree, csr, 'apiserver').join('\n'),
      /^conflict: .*\/apiserver\.key: is the file of a CA or of the service-account key, and is never replaced$/,
    );
  });

  test('not into a kubeconfig that is not there, or cannot be rewritten', (t) => {
    const { tree, csr } = csrNode(t, 'admin.conf');
    sign(tree, join(csr, 'admin.conf.crt'), 'admin.conf');
    const path = join(tree.kubeconfigDir, 'admin.conf');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/client-key-data: (\S+)/, 'client-key-data: &key $1\n    token: *key'));
    assert.match(
      refusals(tree, csr, 'admin.conf').join('\n'),
      /^bad-kubeconfig: \/etc\/kubernetes\/admin\.conf: /,
    );
    rmSync(path);
    assert.match(
      refusals(tree, csr, 'admin.conf').join('\n'),
      /^not-found: \/etc\/kubernetes\/admin\.conf: no such file: there is no kubeconfig to put the certificate into$/,
    );
  });

  test('with a key that was made here, if another user decides what lies there', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    sign(tree, join(csr, 'apiserver.crt'), 'apiserver');
    const isInReach = true;
    assert.match(
      refusals(tree, csr, 'apiserver', { isInReach }).join('\n'),
      /^no-permission: \/csr\/apiserver\.key: is where another user decides which file has this name/,
    );
    const digest = keyDigest(publicKeyOf(spareKey));
    const requestedKeys = [{ name: 'apiserver', digest }];
    installableOf(plan(tree, csr, 'apiserver', { isInReach, requestedKeys }));
  });

  test('into another user’s file only what that user holds already, by kubeadm’s name', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    sign(tree, join(csr, 'apiserver.crt'), 'apiserver');
    const foreign = (): PlannedInstall => {
      const inventory = read(tree);
      const { places } = installSettings(inventory, csr);
      const place = places.get('apiserver');
      assert.ok(place?.status === 'present' && place.value.kind === 'leaf');
      const { certificate, key } = place.value;
      const theirs = { ...place.value, certificate: ofAnotherUser(certificate), key: ofAnotherUser(key) };
      return planInstallOf(inventory, csr, 'apiserver', {
        places: new Map([...places, ['apiserver', { status: 'present', value: theirs }]]),
      });
    };
    installableOf(foreign());
    const subject = distinguishedName([], 'kubernetes-admin');
    reissue(tree, 'apiserver', { profile: { subject } });
    layRequest(tree, csr, 'apiserver');
    sign(tree, join(csr, 'apiserver.crt'), 'apiserver');
    const error = theError(foreign());
    assert.equal(error.code, 'no-permission');
    assert.match(
      error.message,
      /^belongs to uid 1234, and the new certificate is made out to CN=kubernetes-admin, not to CN=kube-apiserver$/,
    );
  });
});

describe('what else lies there', () => {
  test('certificates for no key that was asked with are strangers; a CA’s chain is none', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver');
    const said = (): string[] => {
      const inventory = read(tree);
      return strangers(inventory, installSettings(inventory, csr)).map((error) => saidBy(error, inventory));
    };
    const signed = sign(tree, join(csr, 'apiserver.crt'), 'apiserver');
    writeFileSync(join(csr, 'ca.crt'), encodeCertificates([authority(tree, 'ca').certificate]));
    copyFileSync(pki(tree, 'etcd/peer.crt'), join(csr, 'in-use.crt'));
    const other = stranger('other');
    writeFileSync(join(csr, 'chain.crt'), encodeCertificates([signed, other.certificate]));
    assert.deepEqual(said(), []);
    sign(tree, join(csr, 'old.crt'), 'apiserver', { key: anotherKey });
    writeFileSync(join(csr, 'other-ca.crt'), encodeCertificates([other.certificate]));
    writeFileSync(join(csr, 'none.crt'), 'garbage\n');
    assert.deepEqual(said(), [
      'bad-pem: /csr/none.crt: is not PEM: no certificate found',
      'bad-certificate: /csr/old.crt: the certificate of "CN=kube-apiserver" belongs to no key that a certificate was asked for with',
      'bad-certificate: /csr/other-ca.crt: the certificate of "CN=other" belongs to no key that a certificate was asked for with',
    ]);
  });

  test('a file is still needed while another request waits for what is in it', (t) => {
    const { tree, csr } = csrNode(t, 'etcd-server');
    layRequest(tree, csr, 'etcd-peer', { key: anotherKey });
    const pems = [
      issueFor(tree, 'etcd-server', { key: spareKey }),
      issueFor(tree, 'etcd-peer', { key: anotherKey }),
    ] as const;
    writeFileSync(join(csr, 'all.crt'), encodeCertificates(pems));
    const inventory = read(tree);
    const settings = installSettings(inventory, csr);
    const needed = (...names: string[]): string[] => {
      const planned = planInstall(inventory, names.map(specOf), settings);
      for (const one of planned) must(one, 'installable');
      return [...stillNeeded(planned, settings)];
    };
    assert.deepEqual(needed('etcd-server'), [join(csr, 'all.crt')]);
    assert.deepEqual(needed('etcd-server', 'etcd-peer'), []);
  });

  test('what is refused of one leaves the plan of another', (t) => {
    const { tree, csr } = csrNode(t, 'apiserver', 'front-proxy-client');
    sign(tree, join(csr, 'apiserver.crt'), 'apiserver', { by: stranger('kubernetes') });
    layRequest(tree, csr, 'front-proxy-client', { key: anotherKey });
    sign(tree, join(csr, 'front-proxy-client.crt'), 'front-proxy-client', { key: anotherKey });
    const inventory = read(tree);
    const names = ['apiserver', 'front-proxy-client', 'etcd-peer'];
    const planned = planInstall(inventory, names.map(specOf), installSettings(inventory, csr));
    assert.deepEqual(
      planned.map(({ status }) => status),
      ['refused', 'installable', 'idle'],
    );
  });
});
