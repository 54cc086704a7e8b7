import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { certificates, kubeletKubeconfig } from '../../../src/catalog/catalog.ts';
import { noNaming, parseNodeNaming, withFlags } from '../../../src/config/node-naming.ts';
import { kubernetesVersion } from '../../../src/flags/values.ts';
import {
  kubeletServerOf,
  needsAddress,
  needsNodeName,
  requestedNames,
  type NodeIdentity,
} from '../../../src/operations/names/node-names.ts';

const cluster = (fields: string): string =>
  `apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n${fields}\n`;

describe('where the kubelet of a control-plane node finds the API server', () => {
  for (const [fields, expected] of [
    ['kubernetesVersion: v1.32.11', 'endpoint'],
    ['kubernetesVersion: v1.33.0-rc.1', 'own'],
    ['kubernetesVersion: "1.35"', 'own'],
    ['kubernetesVersion: stable-1.32', 'endpoint'],
    ['kubernetesVersion: stable-1', 'unknown'],
    ['kubernetesVersion: v1.9.3', 'endpoint'],
    ['kubernetesVersion: v2.0.0', 'unknown'],
    // YAML has made a number of it.
    ['kubernetesVersion: 1.30', 'unknown'],
    ['kubernetesVersion: v1.31.0\nfeatureGates: {ControlPlaneKubeletLocalMode: true}', 'own'],
    ['kubernetesVersion: v1.33.0\nfeatureGates: {ControlPlaneKubeletLocalMode: false}', 'endpoint'],
    ['featureGates: {NodeLocalCRISocket: true}', 'unknown'],
    ['', 'unknown'],
  ] as const) {
    test(`${fields.replace('\n', ', ')}: ${expected}`, () => {
      assert.equal(kubeletServerOf(parseNodeNaming(cluster(fields))), expected);
    });
  }

  test('--compat says more than the version of the configuration', () => {
    const naming = parseNodeNaming(cluster('kubernetesVersion: v1.33.0'));
    assert.equal(kubeletServerOf(withFlags(naming, { compat: kubernetesVersion.parse('1.32') })), 'endpoint');
    assert.equal(kubeletServerOf(withFlags(noNaming, { compat: kubernetesVersion.parse('1.34.1') })), 'own');
  });
});

describe('the SANs of a configuration', () => {
  const identity = (text: string): NodeIdentity => ({
    ...parseNodeNaming(text),
    kubeletServer: 'own',
    nodeName: 'cp-1',
    advertiseAddress: '192.0.2.10',
    bindPort: 6443,
    clusterName: 'kubernetes',
    serviceSubnets: ['10.96.0.0/12'],
    dnsDomain: 'cluster.local',
  });

  test('are made lower case, sorted, each once', () => {
    const sans =
      '[API.Upper.Example.com, api.upper.example.com, "*.Apps.Example.com", CP-1, 192.0.2.10, "2001:DB8::1", "2001:db8::1"]';
    const node = identity(
      cluster(`apiServer: {certSANs: ${sans}}\netcd: {local: {peerCertSANs: [Peer.Example.com]}}`),
    );
    assert.deepEqual(requestedNames('apiserver', node), {
      dnsNames: [
        '*.apps.example.com',
        'api.upper.example.com',
        'cp-1',
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        'kubernetes.default.svc.cluster.local',
      ],
      ipAddresses: ['10.96.0.1', '192.0.2.10', '2001:db8::1'],
    });
    assert.deepEqual(requestedNames('etcd-peer', node).dnsNames, ['cp-1', 'localhost', 'peer.example.com']);
  });

  test('and so are those of --cert-extra-sans', () => {
    assert.deepEqual(withFlags(noNaming, { certExtraSans: ['API.Example.com,b'] }).apiServerSans, [
      'api.example.com',
      'b',
    ]);
  });

  test('are still SANs', () => {
    assert.throws(() => parseNodeNaming(cluster('apiServer: {certSANs: [Not_A_Name]}')), {
      code: 'bad-config',
      message: /certSANs\.0: must be an IP address, a DNS name/,
    });
  });
});

test('what has the name of its node, or its address, in it', () => {
  const all = [...certificates, kubeletKubeconfig];
  const names = (specs: typeof all): string[] => specs.map(({ name }) => name).sort();
  assert.deepEqual(names(all.filter((spec) => needsNodeName(spec))), [
    ...['apiserver', 'etcd-peer', 'etcd-server', 'kubelet.conf'],
  ]);
  const addressed = (node: Parameters<typeof needsAddress>[1]): string[] =>
    names(all.filter((spec) => needsAddress(spec, node)));
  const serving = ['apiserver', 'controller-manager.conf', 'etcd-peer', 'etcd-server'];
  const endpoint = { host: 'api.example.com', port: undefined };
  assert.deepEqual(addressed({ kubeletServer: 'own', controlPlaneEndpoint: endpoint }), [
    ...[...serving, 'kubelet.conf', 'scheduler.conf'],
  ]);
  assert.deepEqual(addressed({ kubeletServer: 'endpoint', controlPlaneEndpoint: endpoint }), [
    ...[...serving, 'scheduler.conf'],
  ]);
  assert.deepEqual(addressed({ kubeletServer: 'endpoint', controlPlaneEndpoint: undefined }), [
    ...['admin.conf', ...serving, 'kubelet.conf', 'scheduler.conf', 'super-admin.conf'],
  ]);
});
