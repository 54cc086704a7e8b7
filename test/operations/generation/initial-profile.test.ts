import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { certificates, type CertificateSpec } from '../../../src/catalog/catalog.ts';
import { noNaming, parseNodeNaming, withFlags, type NodeNaming } from '../../../src/config/node-naming.ts';
import { kubernetesVersion } from '../../../src/flags/values.ts';
import {
  isMadeWith,
  organizationsOf,
  organizationsSince,
  type Organizations,
} from '../../../src/operations/generation/initial-profile.ts';

/** With this `kubernetesVersion` and this `--compat`, as the commands have it. */
function since(version: string | undefined, compat?: string): Organizations {
  const configured: NodeNaming =
    version === undefined
      ? noNaming
      : parseNodeNaming(
          `apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: ${version}\n`,
        );
  const flags = compat === undefined ? {} : { compat: kubernetesVersion.parse(compat) };
  return organizationsSince({ ...flags, configured: withFlags(configured, flags).kubernetesVersion });
}

/** Whether the API server's kubelet client has no organization, so that its user must have the rights. */
function isBare(version: string | undefined, compat?: string): boolean {
  return organizationsOf(spec('apiserver-kubelet-client'), since(version, compat)).length === 0;
}

function spec(name: string): CertificateSpec {
  const found = certificates.find((one) => one.name === name);
  assert.ok(found);
  return found;
}

const newer = [
  ...['1.33.12', '1.33.13', '1.34.8', '1.34.10', '1.35.5', '1.35.6', '1.36.1', '1.36.2', '1.37.0', '1.38.4'],
  ...['1.100.0'],
];
const before = ['1.29.0', '1.32.0', '1.32.99', '1.33.0', '1.33.11', '1.34.7', '1.35.4', '1.36.0'];

describe('the organizations of apiserver-kubelet-client', () => {
  for (const version of newer) {
    test(`none in ${version}, of the configuration or of --compat`, () => {
      assert.deepEqual(
        [isBare(`v${version}`), isBare(version), isBare(undefined, version)],
        [true, true, true],
      );
    });
  }

  for (const version of before) {
    test(`kubeadm:cluster-admins in ${version}, of the configuration or of --compat`, () => {
      for (const organizations of [since(`v${version}`), since(undefined, version)]) {
        assert.deepEqual(organizationsOf(spec('apiserver-kubelet-client'), organizations), [
          'kubeadm:cluster-admins',
        ]);
      }
    });
  }

  for (const [version, expected] of [
    // A pre-release comes before its release, and after all that is older.
    ['v1.33.12-rc.0', false],
    ['v1.36.1-rc.0', false],
    ['v1.36.2-rc.0', true],
    ['v1.36.0-rc.1', false],
    ['v1.37.0-alpha.1', true],
    ['v1.36.1+build.7', true],
    // Without a patch release it may be one of those from before.
    ['stable-1.36', false],
    ['"1.36"', false],
    ['latest-1.34', false],
    ['stable-1.37', true],
    // These name no version.
    ['stable-1', false],
    ['1.37', false],
    ['v2.0.0', false],
    ['v1.36.1000', false],
    ['""', false],
  ] as const) {
    test(`${version}: ${expected ? 'none' : 'as before'}`, () => {
      assert.equal(isBare(version), expected);
    });
  }

  test('as before where no version is known: every cluster lets that in', () => {
    assert.equal(isBare(undefined), false);
  });

  test('as --compat has it, whatever the configuration says', () => {
    assert.equal(isBare('v1.36.4', '1.32'), false);
    assert.equal(isBare('v1.36.4', '1.36'), false);
    assert.equal(isBare('v1.36.4', '1.36.0'), false);
    assert.equal(isBare('v1.32.0', '1.37'), true);
    assert.equal(since('v1.36.4', '1.28.3'), 'older');
  });
});

test('before 1.29 they are other ones, when --compat asks for it: a kubeadm may be newer than the configuration', () => {
  assert.equal(since(undefined, '1.28'), 'older');
  assert.equal(since('v1.28.0'), 'current');
});

test('nothing else depends on whether they are the newest', () => {
  for (const one of certificates) {
    if (one.name === 'apiserver-kubelet-client') continue;
    assert.deepEqual(organizationsOf(one, 'newer'), organizationsOf(one, 'current'), one.name);
  }
  for (const one of certificates) {
    assert.ok(isMadeWith('newer', one));
    assert.equal(isMadeWith('older', one), one.name !== 'super-admin.conf');
  }
});
