import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDnsName, isSan } from '../../src/config/host-names.ts';
import { parseNodeNaming } from '../../src/config/node-naming.ts';

const long = 'a'.repeat(63);

describe('what may become a SAN', () => {
  for (const text of [
    ...['a', 'a1', '1a', 'api.example.com', 'xn--bcher-kva.example', '7.example', '4-2', '300.a'],
    ...['*.example.com', '*.a', `${long}.example.com`, `${`${long}.`.repeat(3)}${'b'.repeat(61)}`],
    ...['10.0.0.1', '0.0.0.0', '::1', '2001:db8::1', 'fe80::1', '::ffff:10.0.0.1', '1:2:3:4:5:6:7:8'],
  ]) {
    test(text, () => {
      assert.ok(isSan(text));
    });
  }
});

describe('what may not', () => {
  for (const [text, why] of [
    ['10.0.0.300', 'too large for an address'],
    ['1.2.3', 'too short for one'],
    ['1.2.3.4.5', 'too long for one'],
    ['010.0.0.1', 'octal to some'],
    ['0x0a.0.0.1', 'hexadecimal to some'],
    ['42', 'an address to some'],
    ['a.42', 'its last label is all digits'],
    ['*.0.0.1', 'likewise'],
    ['fe80::1%eth0', 'a zone means something to one machine'],
    ['[::1]', 'brackets'],
    ['10.0.0.1:6443', 'a port'],
    ['[::1]:6443', 'both'],
    ['a:6443', 'a port'],
    ['https://a', 'a URL'],
    ['10.0.0.0/8', 'a network'],
    ['1:2:3', 'too short for IPv6'],
    ['a_b', 'an underscore'],
    ['a.', 'a dot at the end'],
    ['.a', 'a dot at the beginning'],
    ['a..b', 'an empty label'],
    ['-a', 'a hyphen at the beginning'],
    ['a-', 'a hyphen at the end'],
    ['A', 'upper case'],
    ['bücher.example', 'not ASCII: its name is xn--bcher-kva.example'],
    ['', 'nothing'],
    ['a b', 'a space'],
    ['*', 'a wildcard of nothing'],
    ['*.', 'likewise'],
    ['a.*.b', 'a wildcard inside'],
    ['x*.b', 'part of a label'],
    ['*.*.b', 'two wildcards'],
    [`${long}a.example.com`, 'a label of 64 characters'],
    [`${`${long}.`.repeat(3)}${'b'.repeat(62)}`, '254 characters'],
  ] as const) {
    test(`${JSON.stringify(text.slice(0, 70))}: ${why}`, () => {
      assert.ok(!isSan(text));
    });
  }
});

test('a node may be called as Kubernetes lets it, which is like an address as well', () => {
  assert.ok(isDnsName('10.0.0.1'));
  assert.ok(isDnsName('42'));
});

test('the configuration is judged alike: its SANs, and the end point that becomes one', () => {
  const config = (fields: string): string =>
    `apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n${fields}\n`;
  for (const [fields, message] of [
    ['apiServer: {certSANs: [10.0.0.300]}', /apiServer\.certSANs\.0: must be an IP address, a DNS name/],
    ['etcd: {local: {peerCertSANs: ["1.2.3"]}}', /etcd\.local\.peerCertSANs\.0: must be an IP address/],
    ['controlPlaneEndpoint: 10.0.0.300:6443', /controlPlaneEndpoint: must be a DNS name or an IP address/],
    ['controlPlaneEndpoint: "fe80::1%eth0"', /controlPlaneEndpoint: must be a DNS name or an IP address/],
  ] as const) {
    assert.throws(() => parseNodeNaming(config(fields)), { code: 'bad-config', message });
  }
  const { nodeName } = parseNodeNaming(
    'apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nnodeRegistration: {name: 10.0.0.1}\n',
  );
  assert.equal(nodeName, '10.0.0.1');
});
