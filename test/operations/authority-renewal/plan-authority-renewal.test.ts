import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, test, type TestContext } from 'node:test';
import {
  encodeCertificates,
  parseCertificates,
  type Certificate,
} from '../../../src/pki/certificate/certificate.ts';
import {
  renewAuthorities,
  verifyRenewedAuthorities,
  type RenewedAuthorities,
} from '../../../src/operations/authority-renewal/renew-authorities.ts';
import type { RenewableAuthority } from '../../../src/operations/authority-renewal/plan-authority-renewal.ts';
import { issueAuthority, issueCrossCertificate, randomSerialNumber } from '../../../src/pki/issue/issue.ts';
import { generatePrivateKey } from '../../../src/pki/key/private-key.ts';
import { judge } from '../../support/judge.ts';
import { copiesOf, opensslAuthority, opensslLeaf, planOf } from '../../support/planners/authority-node.ts';
import {
  authority,
  editKubeconfig,
  inDays,
  now,
  pki,
  plannedNode,
  read,
  remakeAuthority,
  stranger,
} from '../../support/planners/planned-node.ts';
import { copyFixture, type Tree } from '../../support/tree.ts';

function renewable(planned: ReturnType<typeof planOf>): RenewableAuthority {
  if (planned.status === 'refused') throw planned.error;
  assert.equal(planned.status, 'renewable');
  return planned.renewable;
}

function made(tree: Tree, one: RenewableAuthority): RenewedAuthorities {
  return renewAuthorities([one], copiesOf(read(tree)), { now, serialNumber: randomSerialNumber });
}

function nextOf(tree: Tree, one: RenewableAuthority): Certificate {
  const [renewed] = made(tree, one).renewed;
  assert.ok(renewed);
  return renewed.next;
}

/** The change of a file, by the end of its path. */
function contentOf({ changes }: RenewedAuthorities, path: string): string {
  const change = changes.find(({ target }) => target.path.endsWith(path));
  assert.ok(change?.after, path);
  return change.after.content.toString('latin1');
}

function refusal(planned: ReturnType<typeof planOf>): { message: string; hint: string; file: string } {
  assert.equal(planned.status, 'refused');
  const { message, hint = '', file = '' } = planned.error;
  return { message, hint, file: file.replace(/^.*\/pki\//, '') };
}

describe('a renewed CA', () => {
  test('is the old one in all but serial number and dates', (t) => {
    const tree = plannedNode(t);
    const one = renewable(planOf(tree, 'ca'));
    const { old } = one;
    const next = nextOf(tree, one);
    assert.ok(next.subject.equals(old.subject) && next.issuer.equals(old.subject));
    assert.deepEqual(
      next.x509.publicKey.export({ format: 'jwk' }),
      old.x509.publicKey.export({ format: 'jwk' }),
    );
    assert.deepEqual(
      next.extensions.map(({ der }) => der.toString('hex')),
      old.extensions.map(({ der }) => der.toString('hex')),
    );
    assert.ok(!next.serialNumber.equals(old.serialNumber));
    // As kubeadm and `generate` begin one.
    assert.equal(next.notBefore.getTime(), now.getTime() - 5 * 60_000);
    assert.equal(next.notAfter.getTime(), now.getTime() + 50 * 8760 * 3_600_000);
  });

  test('takes the place of the old one in ca.crt and in the kubeconfigs, each read back', (t) => {
    const tree = plannedNode(t);
    const all = made(tree, renewable(planOf(tree, 'ca')));
    assert.deepEqual(
      all.changes.map(({ target }) => target.path.replace(tree.directory, '')),
      ['pki/ca.crt', 'admin.conf', 'controller-manager.conf', 'scheduler.conf'].map(
        (path) => `/etc/kubernetes/${path}`,
      ),
    );
    const known = read(tree).certificates.flatMap(({ spec, state }) =>
      state.status === 'present' ? [{ name: spec.name, certificate: state.value.chain[0] }] : [],
    );
    const contents = new Map(all.changes.map(({ target, after }) => [target.path, after?.content]));
    const readBack = ({ path }: { readonly path: string }): Buffer => contents.get(path) ?? Buffer.alloc(0);
    verifyRenewedAuthorities(all, known, readBack);
    for (const { target } of all.changes) {
      const damaged = (one: { readonly path: string }): Buffer =>
        one.path === target.path ? readFileSync(target.path) : readBack(one);
      assert.throws(
        () => {
          verifyRenewedAuthorities(all, known, damaged);
        },
        { code: 'verification' },
        target.path,
      );
    }
    const strange = { name: 'apiserver', certificate: stranger('kubernetes').certificate };
    verifyRenewedAuthorities(all, [strange], readBack);
  });

  test('replaces one certificate of a bundle, and every other byte stays', (t) => {
    const tree = plannedNode(t);
    const path = pki(tree, 'ca.crt');
    const own = readFileSync(path, 'latin1');
    const other = encodeCertificates([stranger('kubernetes').certificate]);
    const before = `# a comment of gr\xfc\xdfe\n${other}\n  between\n${own.trimEnd()}   \n# the end, without a line end`;
    writeFileSync(path, before, 'latin1');
    const all = made(tree, renewable(planOf(tree, 'ca')));
    const [renewed] = all.renewed;
    const pem = encodeCertificates([renewed?.next ?? assert.fail()]);
    assert.equal(contentOf(all, 'pki/ca.crt'), before.replace(own.trimEnd(), pem.trimEnd()));
    // The kubeconfigs hold no bundle.
    const text = contentOf(all, 'scheduler.conf');
    assert.ok(text.includes(`certificate-authority-data: ${Buffer.from(pem).toString('base64')}\n`));
  });

  test('has the line ends of its file', (t) => {
    const tree = plannedNode(t);
    const path = pki(tree, 'ca.crt');
    writeFileSync(path, readFileSync(path, 'latin1').replaceAll('\n', '\r\n'));
    const text = contentOf(made(tree, renewable(planOf(tree, 'ca'))), 'pki/ca.crt');
    assert.equal(text.replaceAll('\r\n', '').includes('\n'), false);
    assert.equal(parseCertificates(Buffer.from(text)).length, 1);
  });

  test('is made from the certificate in use where there are several for its key; the others stay', (t) => {
    const tree = plannedNode(t);
    const early = readFileSync(pki(tree, 'ca.crt'), 'latin1');
    const used = remakeAuthority(tree, 'ca', { until: new Date('2060-01-01T00:00:00Z') });
    writeFileSync(pki(tree, 'ca.crt'), early + encodeCertificates([used]));
    const one = renewable(planOf(tree, 'ca'));
    assert.ok(one.old.der.equals(used.der));
    assert.ok(contentOf(made(tree, one), 'pki/ca.crt').startsWith(early));
  });

  test('reaches a kubeconfig that has an earlier certificate of the CA, and spares one of another', (t) => {
    const tree = plannedNode(t);
    remakeAuthority(tree, 'ca', { until: new Date('2060-01-01T00:00:00Z') });
    const other = encodeCertificates([stranger('kubernetes').certificate]);
    editKubeconfig(tree, 'scheduler.conf', { 'certificate-authority-data': other });
    const paths = made(tree, renewable(planOf(tree, 'ca'))).changes.map(({ target }) => target.path);
    assert.ok(paths.some((path) => path.endsWith('admin.conf')));
    assert.ok(!paths.some((path) => path.endsWith('scheduler.conf')));
  });

  test('is one where two CAs of the catalog are one', (t) => {
    const tree = plannedNode(t);
    for (const extension of ['crt', 'key']) {
      writeFileSync(pki(tree, `front-proxy-ca.${extension}`), readFileSync(pki(tree, `ca.${extension}`)));
    }
    const both = (['ca', 'front-proxy-ca'] as const).map((name) => renewable(planOf(tree, name)));
    const all = renewAuthorities(both, copiesOf(read(tree)), { now, serialNumber: randomSerialNumber });
    assert.equal(all.renewed[0]?.next, all.renewed[1]?.next);
    assert.equal(contentOf(all, 'pki/front-proxy-ca.crt'), contentOf(all, 'pki/ca.crt'));
  });

  test('says of a hard link that its other names keep the old one', (t) => {
    const tree = plannedNode(t);
    linkSync(pki(tree, 'ca.crt'), pki(tree, 'other.crt'));
    const [warning = ''] = renewable(planOf(tree, 'ca')).warnings;
    assert.match(warning, /ca\.crt: has other names \(hard links\)/);
  });
});

describe('a CA that has ended', () => {
  test('is renewed all the same', (t) => {
    const tree = plannedNode(t);
    const old = remakeAuthority(tree, 'ca', { until: inDays(-30) });
    const one = renewable(planOf(tree, 'ca', { validityMs: 3600_000 }));
    assert.ok(one.old.der.equals(old.der));
    assert.ok(nextOf(tree, one).notAfter > now);
  });

  test('or is not valid yet, by a clock that is wrong, is not', (t) => {
    const tree = plannedNode(t);
    remakeAuthority(tree, 'ca', { from: inDays(1) });
    const { message, hint } = refusal(planOf(tree, 'ca'));
    assert.equal(message, 'the CA is not valid before 2027-01-02T00:00:00Z');
    assert.equal(hint, "check this machine's clock: a renewed CA would begin by it");
  });
});

describe('the serial number', () => {
  const always = 'authorityKeyIdentifier=keyid:always,issuer:always';
  const ofCa = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];

  function openssl(t: TestContext): string | undefined {
    return judge(t, 'openssl');
  }

  test('is kept where a leaf names it, and openssl verifies that leaf by the next CA and by no other', (t) => {
    const program = openssl(t);
    if (program === undefined) return;
    const tree = plannedNode(t);
    opensslAuthority(program, tree, { extensions: ['subjectKeyIdentifier=hash'] });
    opensslLeaf(program, tree, 'apiserver', { extensions: [always, 'subjectAltName=DNS:a.example'] });
    const one = renewable(planOf(tree, 'ca'));
    assert.deepEqual(one.serial, { kind: 'kept', namedBy: ['apiserver'] });
    const next = nextOf(tree, one);
    assert.ok(next.serialNumber.equals(one.old.serialNumber));
    const verify = (certificate: Certificate): string => {
      writeFileSync(pki(tree, 'next.crt'), encodeCertificates([certificate]));
      try {
        return execFileSync(
          program,
          ['verify', '-no_check_time', '-CAfile', pki(tree, 'next.crt'), pki(tree, 'apiserver.crt')],
          { encoding: 'utf8', stdio: 'pipe' },
        );
      } catch (error) {
        return String((error as { readonly stderr: unknown }).stderr);
      }
    };
    assert.match(verify(next), /: OK\n$/);
    assert.match(verify(nextOf(tree, { ...one, serial: { kind: 'new' } })), /error 20/);
  });

  test('is kept where the CA names it itself', (t) => {
    const program = openssl(t);
    if (program === undefined) return;
    const tree = plannedNode(t);
    opensslAuthority(program, tree, { extensions: ['subjectKeyIdentifier=hash', always] });
    const one = renewable(planOf(tree, 'ca'));
    assert.equal(one.serial.kind, 'kept');
    const next = nextOf(tree, one);
    assert.ok(next.x509.checkIssued(next.x509));
  });

  test('is another where only a certificate of another CA names that number', (t) => {
    const program = openssl(t);
    if (program === undefined) return;
    const tree = plannedNode(t);
    opensslAuthority(program, tree, { extensions: ['subjectKeyIdentifier=hash'] });
    opensslLeaf(program, tree, 'apiserver', { extensions: [always] });
    opensslAuthority(program, tree, { name: 'front-proxy-ca', extensions: ['subjectKeyIdentifier=hash'] });
    assert.deepEqual(renewable(planOf(tree, 'front-proxy-ca')).serial, { kind: 'new' });
  });

  test('is not kept where it is negative: Kubernetes reads no such CA', (t) => {
    const program = openssl(t);
    if (program === undefined) return;
    const tree = plannedNode(t);
    opensslAuthority(program, tree, { serial: '-0x1234', extensions: ['subjectKeyIdentifier=hash'] });
    opensslLeaf(program, tree, 'apiserver', { extensions: [always] });
    const one = renewable(planOf(tree, 'ca'));
    assert.deepEqual(one.serial, { kind: 'new' });
    assert.match(one.warnings.join('\n'), /gets a positive serial number, .*: apiserver$/);
    opensslAuthority(program, tree, {
      serial: '-0x1234',
      extensions: ['subjectKeyIdentifier=hash', always, ...ofCa.slice(1)],
    });
    const { message, hint } = refusal(planOf(tree, 'ca'));
    assert.match(message, /^the CA has a negative serial number \(-1234\), which it names itself/);
    assert.equal(hint, 'replace it, key and all: kubepki ca rotate');
  });
});

describe('a CA that is not renewed', () => {
  test('because it would end no later', (t) => {
    const tree = plannedNode(t);
    const { message, hint, file } = refusal(planOf(tree, 'ca', { validityMs: 3600_000 }));
    assert.match(
      message,
      /^the CA ends on 2056-\S+Z, and a renewed one would no later: on 2027-01-01T01:00:00Z$/,
    );
    assert.deepEqual([hint, file], ['make it longer: --validity', 'ca.crt']);
    assert.equal(planOf(tree, 'ca', { validityMs: 3600_000, named: false }).status, 'unchanged');
  });

  test('because others may know its key', (t) => {
    const { message, hint, file } = refusal(planOf(plannedNode(t), 'etcd-ca', { compromised: true }));
    assert.match(message, /^a key that others may know is not renewed: /);
    assert.deepEqual([hint, file], ['replace the CA, key and all: kubepki ca rotate', 'etcd/ca.key']);
  });

  test('because its key is elsewhere', (t) => {
    const tree = plannedNode(t);
    rmSync(pki(tree, 'ca.key'));
    const { message, hint, file } = refusal(planOf(tree, 'ca'));
    assert.equal(message, 'no such file: the key of the CA is not here (external CA)');
    assert.equal(file, 'ca.key');
    assert.match(hint, /^it is on another control-plane node, or with your own CA: .*kubepki ca trust FILE$/);
    assert.doesNotMatch(hint, /ca renew/);
    assert.equal(planOf(tree, 'ca', { named: false }).status, 'external-ca');
  });

  test('because another key is in its place', (t) => {
    const tree = plannedNode(t);
    writeFileSync(pki(tree, 'ca.key'), readFileSync(pki(tree, 'etcd/ca.key')));
    const { message, file } = refusal(planOf(tree, 'ca'));
    assert.match(message, /^does not belong to the CA certificate .*ca\.crt$/);
    assert.equal(file, 'ca.key');
  });

  test('because its key is too weak', (t) => {
    const program = judge(t, 'openssl');
    if (program === undefined) return;
    const tree = plannedNode(t);
    execFileSync(program, ['genrsa', '-out', pki(tree, 'ca.key'), '1024'], { stdio: 'pipe' });
    opensslAuthority(program, tree);
    const { message, hint, file } = refusal(planOf(tree, 'ca'));
    assert.equal(message, 'a CA key of the kind RSA-1024 must not last any longer');
    assert.deepEqual([hint, file], ['replace it, key and all: kubepki ca rotate', 'ca.key']);
  });

  test('because another CA has signed it', (t) => {
    const tree = copyFixture(t, 'leaf-chain');
    const { message, hint } = refusal(planOf(tree, 'ca'));
    assert.match(message, /^the CA is an intermediate: CN=\S+ has signed it, and must sign the next one$/);
    assert.match(hint, /^have the CA that signed it sign it again, .*kubepki ca trust FILE$/);
  });

  test('because it is no CA', (t) => {
    const program = judge(t, 'openssl');
    if (program === undefined) return;
    const tree = plannedNode(t);
    for (const extension of ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature']) {
      opensslAuthority(program, tree, { extensions: [extension] });
      assert.match(refusal(planOf(tree, 'ca')).message, /^is not a CA certificate that may sign/, extension);
    }
  });

  test('because Go refuses it, and would refuse the next', (t) => {
    const program = judge(t, 'openssl');
    if (program === undefined) return;
    const tree = plannedNode(t);
    opensslAuthority(program, tree, { extensions: ['1.2.3.4=critical,ASN1:NULL'] });
    assert.match(
      refusal(planOf(tree, 'ca')).message,
      /^the CA has a critical extension that Go does not know/,
    );
  });

  test('because there is none, or none that can be read', (t) => {
    const tree = plannedNode(t);
    writeFileSync(pki(tree, 'ca.crt'), 'nothing');
    assert.equal(refusal(planOf(tree, 'ca')).file, 'ca.crt');
    rmSync(pki(tree, 'ca.crt'));
    assert.match(refusal(planOf(tree, 'ca')).message, /^no such file/);
    assert.equal(planOf(tree, 'ca', { named: false }).status, 'missing');
  });

  test("because it is an external etcd's", (t) => {
    const all = read(plannedNode(t));
    const inventory = {
      ...all,
      authorities: all.authorities.filter(({ spec }) => spec.name !== 'etcd-ca'),
    };
    const tree = plannedNode(t);
    assert.match(refusal(planOf(tree, 'etcd-ca', { inventory })).hint, /etcd's own CA/);
    assert.equal(planOf(tree, 'etcd-ca', { inventory, named: false }).status, 'unmanaged');
  });

  test('because a kubeconfig that holds it cannot be rewritten', (t) => {
    const tree = plannedNode(t);
    const path = `${tree.kubeconfigDir}/admin.conf`;
    const text = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      text.replace(
        /certificate-authority-data: (\S+)/,
        'certificate-authority-data: &shared $1\n    odd: *shared',
      ),
    );
    const { message } = refusal(planOf(tree, 'ca'));
    assert.match(message, /certificate-authority-data is shared with another field over a YAML anchor/);
  });

  test('but a cross-certificate for its key, which ends later, is no reason', async (t) => {
    const tree = plannedNode(t);
    const key = await generatePrivateKey({ type: 'ec', curve: 'P-256' });
    const dates = { notBefore: inDays(-1), notAfter: new Date('2070-01-01T00:00:00Z') };
    const above = issueAuthority({
      commonName: 'above',
      privateKey: key,
      serialNumber: Buffer.of(7),
      ...dates,
    });
    const own = authority(tree, 'ca').certificate;
    const cross = issueCrossCertificate(
      { kind: 'local', certificate: above, privateKey: key, bundle: [above] },
      own,
      { serialNumber: Buffer.of(9), ...dates },
    );
    appendFileSync(pki(tree, 'ca.crt'), encodeCertificates([cross]));
    const one = renewable(planOf(tree, 'ca'));
    assert.ok(one.old.der.equals(own.der));
    const all = made(tree, one);
    const [renewed] = all.renewed;
    assert.deepEqual(
      parseCertificates(Buffer.from(contentOf(all, 'pki/ca.crt'))).map(({ der }) => der),
      [renewed?.next.der, cross.der],
    );
  });
});
