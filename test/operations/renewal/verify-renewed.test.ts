import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KubepkiError } from '../../../src/errors/error.ts';
import type { ReadBack } from '../../../src/operations/places/place.ts';
import { renew, verifyRenewed, type Renewed } from '../../../src/operations/renewal/renew.ts';
import { encodeCertificates } from '../../../src/pki/certificate/certificate.ts';
import { randomSerialNumber } from '../../../src/pki/issue/issue.ts';
import { encodePrivateKey, generatePrivateKey } from '../../../src/pki/key/private-key.ts';
import { fixtureNode, read, spareKey, stranger } from '../../support/planners/planned-node.ts';
import { planRenewal } from '../../support/planners/planner-settings.ts';

const otherKey = await generatePrivateKey({ type: 'ec', curve: 'P-256' });

function renewed(name: string): Renewed {
  const planned = planRenewal(read(fixtureNode), name);
  assert.equal(planned.status, 'renewable');
  return renew(planned.renewable, { privateKey: spareKey, serialNumber: randomSerialNumber() });
}

/** What the files hold after the change, but for those that `other` says something else of. */
function readingBack(
  { changes }: Renewed,
  other: (path: string) => string | undefined = () => undefined,
): ReadBack {
  return ({ path }) => {
    const own = changes.find(({ target }) => target.path === path)?.after?.content;
    if (own === undefined) throw new Error(`${path} was not changed`);
    const instead = other(path);
    return instead === undefined ? own : Buffer.from(instead);
  };
}

function refused(verify: () => void, message: RegExp): void {
  assert.throws(verify, (error) => {
    assert.ok(error instanceof KubepkiError);
    assert.equal(error.code, 'verification');
    assert.match(error.message, message);
    return true;
  });
}

describe('nothing is renewed before it was read back, and', () => {
  for (const name of ['apiserver', 'etcd-peer', 'scheduler.conf']) {
    test(`${name} is what was issued`, () => {
      const one = renewed(name);
      verifyRenewed(one, readingBack(one));
    });
  }

  test('another certificate is refused', () => {
    const [one, other] = [renewed('apiserver'), renewed('apiserver')];
    refused(() => {
      verifyRenewed(one, readingBack(other));
    }, /is not the certificate that was issued$/);
  });

  test('another key is refused', () => {
    const one = renewed('apiserver');
    const isKey = (path: string): boolean => path.endsWith('.key');
    refused(() => {
      verifyRenewed(
        one,
        readingBack(one, (path) => (isKey(path) ? encodePrivateKey(otherKey) : undefined)),
      );
    }, /does not match its private key$/);
  });

  test('a certificate that its CA has not signed is refused', () => {
    const one = renewed('apiserver');
    const issuer = stranger('kubernetes');
    refused(() => {
      verifyRenewed({ ...one, renewable: { ...one.renewable, issuer } }, readingBack(one));
    }, /does not chain to its CA$/);
  });

  test('a certificate that no client would verify is refused', () => {
    const one = renewed('apiserver');
    const { renewable } = one;
    const issuer = { ...renewable.issuer, bundle: stranger('kubernetes').bundle };
    refused(() => {
      verifyRenewed({ ...one, renewable: { ...renewable, issuer } }, readingBack(one));
    }, /would be refused: its CA must not sign it$/);
  });

  test('other names, or another end, than were planned are refused', () => {
    const one = renewed('apiserver');
    const { renewable } = one;
    const { profile } = renewed('etcd-peer').renewable;
    refused(() => {
      verifyRenewed({ ...one, renewable: { ...renewable, profile } }, readingBack(one));
    }, /has another subject, other SANs or other usages than it was to have$/);
    const validity = {
      ...renewable.validity,
      notAfter: new Date(renewable.validity.notAfter.getTime() + 1000),
    };
    refused(() => {
      verifyRenewed({ ...one, renewable: { ...renewable, validity } }, readingBack(one));
    }, /ends at another time$/);
  });

  test('a kubeconfig that trusts other CAs than it was to is refused', () => {
    const one = renewed('scheduler.conf');
    const others = Buffer.from(encodeCertificates([stranger('kubernetes').certificate])).toString('base64');
    const own = one.changes[0]?.after?.content.toString() ?? '';
    refused(() => {
      verifyRenewed(
        one,
        readingBack(one, () =>
          own.replace(/certificate-authority-data: \S+/, `certificate-authority-data: ${others}`),
        ),
      );
    }, /embeds other CAs$/);
  });
});
