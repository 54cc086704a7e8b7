import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import { endpointProblem } from '../../src/config/cluster-configuration.ts';
import type { ConfigVersion } from '../../src/config/fields.ts';
import { parseNodeNaming } from '../../src/config/node-naming.ts';
import { parseKubeadmConfig } from '../../src/config/parse.ts';
import { KubepkiError } from '../../src/errors/error.ts';
import { fixturePath } from '../support/tree.ts';

const year = 8760 * 3_600_000;
const cluster = (fields: string, version = 'v1beta4'): string =>
  `apiVersion: kubeadm.k8s.io/${version}\nkind: ClusterConfiguration\n${fields}\n`;
const none = {
  certificatesDir: undefined,
  etcd: { kind: 'stacked' },
  encryptionAlgorithm: undefined,
  certificateValidityMs: undefined,
  caCertificateValidityMs: undefined,
};

describe('a kubeadm configuration', () => {
  for (const role of ['stacked-etcd-rsa', 'stacked-etcd-ecdsa', 'external-etcd', 'super-admin']) {
    test(`of ${role} is read`, () => {
      const { config, warnings } = parseKubeadmConfig(
        readFileSync(fixturePath(role, 'kubeadm.yaml'), 'utf8'),
      );
      assert.deepEqual(config, {
        certificatesDir: '/etc/kubernetes/pki',
        etcd:
          role === 'external-etcd'
            ? {
                kind: 'external',
                endpoints: ['https://192.0.2.20:2379'],
                caFile: '/etc/etcd/ca.crt',
                certFile: '/etc/etcd/client.crt',
                keyFile: '/etc/etcd/client.key',
              }
            : { kind: 'stacked' },
        encryptionAlgorithm: { 'stacked-etcd-ecdsa': 'ECDSA-P256', 'super-admin': 'ECDSA-P384' }[role],
        certificateValidityMs: role === 'super-admin' ? 2 * year : undefined,
        caCertificateValidityMs: undefined,
      });
      assert.deepEqual(
        warnings,
        role === 'super-admin'
          ? [
              'certificateValidityPeriod: the value 17520h0m0s is more than the recommended default for certificate expiration: 8760h0m0s',
            ]
          : [],
      );
    });
  }

  test('without a ClusterConfiguration: the defaults; component configurations are none of our business', () => {
    const text = `---
apiVersion: kubeadm.k8s.io/v1beta3
kind: InitConfiguration
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
anything: goes
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
---
`;
    assert.deepEqual(parseKubeadmConfig(text), { config: none, warnings: [] });
  });

  test('the feature gate decides where it is set, in either direction', () => {
    const algorithm = (fields: string, version?: string): unknown =>
      parseKubeadmConfig(cluster(fields, version)).config.encryptionAlgorithm;
    assert.equal(
      algorithm('featureGates: {PublicKeysECDSA: true}\nencryptionAlgorithm: RSA-4096'),
      'ECDSA-P256',
    );
    assert.equal(
      algorithm('featureGates: {PublicKeysECDSA: no}\nencryptionAlgorithm: ECDSA-P384'),
      'RSA-2048',
    );
    assert.equal(algorithm('featureGates: {Other: true}\nencryptionAlgorithm: RSA-3072'), 'RSA-3072');
    assert.equal(algorithm('featureGates: {PublicKeysECDSA: yes}', 'v1beta2'), 'ECDSA-P256');
    assert.equal(algorithm(''), undefined);
  });

  test('before v1beta4, algorithm and period are unknown fields: a warning each, and no effect', () => {
    for (const version of ['v1beta1', 'v1beta2', 'v1beta3']) {
      assert.deepEqual(
        parseKubeadmConfig(cluster('encryptionAlgorithm: nonsense\ncertificateValidityPeriod: 5', version)),
        {
          config: none,
          warnings: [
            'unknown field "ClusterConfiguration.encryptionAlgorithm"',
            'unknown field "ClusterConfiguration.certificateValidityPeriod"',
          ],
        },
      );
    }
  });

  test('every field kubeadm defines passes silently, in its own version', () => {
    const everything = (version: ConfigVersion): string => {
      const beta2 = version === 'v1beta1' || version === 'v1beta2';
      const beta4 = version === 'v1beta4';
      const component = `{extraArgs: ${beta4 ? '[{name: v, value: "4"}]' : '{v: "4"}'}, extraVolumes: [{name: a, hostPath: /a, mountPath: /a, readOnly: true, pathType: File}]${beta4 ? ', extraEnvs: [{name: A, value: b}]' : ''}}`;
      return `apiVersion: kubeadm.k8s.io/${version}
kind: InitConfiguration
bootstrapTokens: [{token: abcdef.0123456789abcdef, description: d, ttl: 24h, expires: "2030-01-01T00:00:00Z", usages: [signing], groups: [g]}]
nodeRegistration: {name: n, criSocket: s, taints: [], kubeletExtraArgs: ${beta4 ? '[]' : '{}'}, ignorePreflightErrors: [all]${beta2 ? '' : ', imagePullPolicy: Always'}${beta4 ? ', imagePullSerial: true' : ''}}
localAPIEndpoint: {advertiseAddress: 192.0.2.10, bindPort: 6443}
certificateKey: abc
${beta2 ? '' : 'skipPhases: [addon]\npatches: {directory: /p}'}
${beta4 ? 'dryRun: false\ntimeouts: {controlPlaneComponentHealthCheck: 4m, kubeletHealthCheck: 4m, kubernetesAPICall: 1m, etcdAPICall: 2m, tlsBootstrap: 5m, discovery: 5m, upgradeManifests: 5m}' : ''}
---
apiVersion: kubeadm.k8s.io/${version}
kind: JoinConfiguration
nodeRegistration: {name: n}
caCertPath: /etc/kubernetes/pki/ca.crt
discovery: {bootstrapToken: {token: t, apiServerEndpoint: e, caCertHashes: [h], unsafeSkipCAVerification: true}, tlsBootstrapToken: t${beta4 ? '' : ', timeout: 5m'}}
controlPlane: {localAPIEndpoint: {advertiseAddress: 192.0.2.10, bindPort: 6443}, certificateKey: k}
---
apiVersion: kubeadm.k8s.io/${version}
kind: ClusterConfiguration
kubernetesVersion: 1.30
controlPlaneEndpoint: cluster.example.com:6443
certificatesDir: /pki
imageRepository: registry.example.com
clusterName: c
featureGates: {PublicKeysECDSA: false}
etcd: {local: {imageRepository: r, imageTag: t, dataDir: /d, extraArgs: ${beta4 ? '[]' : '{}'}, serverCertSANs: [a], peerCertSANs: [b]${beta4 ? ', extraEnvs: []' : ''}}}
networking: {serviceSubnet: 10.96.0.0/12, podSubnet: 10.0.0.0/8, dnsDomain: cluster.local}
apiServer: ${component.slice(0, -1)}, certSANs: [x]${beta4 ? '' : ', timeoutForControlPlane: 4m'}}
controllerManager: ${component}
scheduler: ${component}
dns: {imageRepository: r, imageTag: t${beta2 ? ', type: CoreDNS' : ''}${beta4 ? ', disabled: false' : ''}}
${beta2 ? 'useHyperKubeImage: false' : ''}
${beta4 ? 'proxy: {disabled: false}\nencryptionAlgorithm: RSA-2048\ncertificateValidityPeriod: 8760h\ncaCertificateValidityPeriod: 87600h' : ''}
${
  beta4
    ? `---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ResetConfiguration
force: true
unmountFlags: [MNT_FORCE]
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: UpgradeConfiguration
apply: {certificateRenewal: true}
timeouts: {discovery: 1m}`
    : ''
}
`;
    };
    for (const version of ['v1beta1', 'v1beta2', 'v1beta3', 'v1beta4'] as const) {
      assert.deepEqual(parseKubeadmConfig(everything(version)).warnings, [], version);
    }
  });

  test('a field kubeadm does not define is named with its path, and the right spelling where there is one', () => {
    const { warnings } = parseKubeadmConfig(
      cluster(
        'apiserver: {}\ncontrollerManager: {extraArgs: [{name: a, x: b}], extraArg: 1}\netcd: {external: {endpoints: ["https://a:1"], ca: b}}',
      ),
    );
    assert.deepEqual(warnings, [
      'unknown field "ClusterConfiguration.apiserver", did you mean "apiServer"?',
      'unknown field "ClusterConfiguration.controllerManager.extraArg"',
      'unknown field "ClusterConfiguration.etcd.external.ca"',
    ]);
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['certificatesDir: pki', /^ClusterConfiguration\.certificatesDir: must be an absolute path$/],
    ['certificatesDir: [a]', /^ClusterConfiguration\.certificatesDir: must be a path$/],
    [
      'encryptionAlgorithm: DSA',
      /^ClusterConfiguration\.encryptionAlgorithm: Invalid encryption algorithm "DSA"\. Must be one of \[RSA-2048 /,
    ],
    [
      'certificateValidityPeriod: 1y',
      /^ClusterConfiguration\.certificateValidityPeriod: "1y" is not a duration/,
    ],
    [
      'certificateValidityPeriod: 2562048h',
      /^ClusterConfiguration\.certificateValidityPeriod: "2562048h" is too long: at most 2562047h$/,
    ],
    [
      'certificateValidityPeriod: 8760',
      /^ClusterConfiguration\.certificateValidityPeriod: must be a duration/,
    ],
    [
      'certificateValidityPeriod: 0s',
      /^ClusterConfiguration\.certificateValidityPeriod: "0s" is not longer than nothing/,
    ],
    [
      'featureGates: {PublicKeysECDSA: maybe}',
      /^ClusterConfiguration\.featureGates\.PublicKeysECDSA: must be true or false/,
    ],
    [
      'etcd: {external: {endpoints: ["https://a:1"], caFile: /ca, certFile: c.crt, keyFile: /c}}',
      /^ClusterConfiguration\.etcd\.external\.certFile: must be an absolute path$/,
    ],
    ['etcd: {external: {}}', /^ClusterConfiguration\.etcd\.external\.endpoints: /],
    [
      'etcd: {local: {}, external: {endpoints: ["https://a"]}}',
      /^ClusterConfiguration\.etcd: local and external exclude each other/,
    ],
    [
      'certificatesDir: pki\nencryptionAlgorithm: DSA',
      /certificatesDir: .*; ClusterConfiguration\.encryptionAlgorithm: /,
    ],
  ];
  for (const [fields, message] of wrong) {
    test(`${fields.replaceAll('\n', ', ')} is a wrong value, named with its path`, () => {
      assert.throws(() => parseKubeadmConfig(cluster(fields)), { code: 'bad-config', message });
    });
  }

  test('null is as if the field were not there', () => {
    assert.deepEqual(
      parseKubeadmConfig(
        cluster('certificatesDir: null\netcd: {external: null}\nencryptionAlgorithm: ~\nfeatureGates:'),
      ).config,
      none,
    );
  });

  test('what is no kubeadm configuration is said to be none', () => {
    const broken: readonly (readonly [string, RegExp])[] = [
      ['', /^is empty$/],
      ['---\n---\n', /^is empty$/],
      ['text', /^is not a mapping$/],
      ['a: 1', /^has a document without apiVersion and kind$/],
      [cluster('a: ['), /^is not valid YAML at line \d+/],
      [`${cluster('')}---\n${cluster('')}`, /^has more than one ClusterConfiguration$/],
    ];
    for (const [text, message] of broken) {
      assert.throws(() => parseKubeadmConfig(text), { code: 'bad-config', message }, text);
    }
  });

  test('of a version that is not known here: forward with an old one, and never back with a new one', () => {
    for (const [version, hint] of [
      ['v1alpha3', /knows kubeadm\.k8s\.io\/v1beta1, v1beta2, v1beta3, v1beta4; .*kubeadm config migrate/],
      ['v1beta5', /knows kubeadm\.k8s\.io\/v1beta1, v1beta2, v1beta3, v1beta4; use a newer kubepki$/],
      ['v1', /; use a newer kubepki$/],
      ['v2alpha1', /kubepki knows/],
    ] as const) {
      assert.throws(
        () => parseKubeadmConfig(cluster('', version)),
        (error: unknown) => {
          assert.ok(error instanceof KubepkiError);
          assert.equal(error.code, 'unsupported-config');
          assert.equal(error.message, `apiVersion "kubeadm.k8s.io/${version}" is not supported`);
          assert.match(error.hint ?? '', hint);
          return true;
        },
      );
    }
  });

  test('kinds and groups that are not kubeadm are ignored with a warning', () => {
    const { config, warnings } = parseKubeadmConfig(
      `${cluster('certificatesDir: /pki')}---\napiVersion: v1\nkind: ConfigMap\n---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: Cluster\n`,
    );
    assert.equal(config.certificatesDir, '/pki');
    assert.deepEqual(warnings, [
      `apiVersion "v1" is not kubeadm's, and its document is ignored`,
      'kind "Cluster" is not one of kubeadm.k8s.io/v1beta4, and is ignored',
    ]);
  });
});

describe('what kubectl prints of the ConfigMap kubeadm-config', () => {
  const configMap = (text: string): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'kubeadm-config', namespace: 'kube-system' },
    data: { ClusterConfiguration: text },
  });
  const other = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'coredns' },
    data: { Corefile: 'x' },
  };
  const lists = (['List', 'ConfigMapList'] as const).map((kind): readonly [string, string] => [
    `a ${kind}`,
    stringify({ apiVersion: 'v1', kind, items: [other, configMap(cluster('certificatesDir: /pki'))] }),
  ]);
  for (const [name, text] of [
    ['-o yaml', stringify(configMap(cluster('certificatesDir: /pki')))],
    ['-o json', JSON.stringify(configMap(cluster('certificatesDir: /pki')), null, 4)],
    [
      'beside an InitConfiguration',
      `apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n---\n${stringify(configMap(cluster('certificatesDir: /pki')))}`,
    ],
    ...lists,
  ] as const) {
    test(`is read: ${name}`, () => {
      assert.deepEqual(parseKubeadmConfig(text), {
        config: { ...none, certificatesDir: '/pki' },
        warnings: [],
      });
    });
  }

  test('names and addresses are read from it, too', () => {
    const text = cluster('controlPlaneEndpoint: api.example.com:6443', 'v1beta3');
    assert.deepEqual(parseNodeNaming(stringify(configMap(text))).controlPlaneEndpoint, {
      host: 'api.example.com',
      port: 6443,
    });
  });

  test('what is wrong inside is said of the text inside', () => {
    for (const [text, message] of [
      ['a: [', /^data\.ClusterConfiguration is not valid YAML at line 1/],
      [cluster('certificatesDir: pki'), /^ClusterConfiguration\.certificatesDir: must be an absolute path$/],
    ] as const) {
      assert.throws(() => parseKubeadmConfig(stringify(configMap(text))), { code: 'bad-config', message });
    }
    assert.throws(() => parseKubeadmConfig(stringify({ apiVersion: 'v1', kind: 'List', items: [other] })), {
      code: 'bad-config',
      message: /^holds no kubeadm configuration$/,
    });
    const one = configMap(cluster(''));
    assert.throws(
      () => parseKubeadmConfig(stringify({ apiVersion: 'v1', kind: 'List', items: [one, one] })),
      {
        message: /^has more than one ClusterConfiguration$/,
      },
    );
  });
});

describe('an external etcd', () => {
  const external = (fields: string): string => cluster(`etcd: {external: {${fields}}}`);
  const tls = 'caFile: /ca.crt, certFile: /c.crt, keyFile: /c.key';

  const wrong: readonly (readonly [string, RegExp])[] = [
    [
      `endpoints: ["192.0.2.20:2379"], ${tls}`,
      /^ClusterConfiguration\.etcd\.external\.endpoints\.0: "192\.0\.2\.20:2379" is not a URL such as "https:/,
    ],
    [
      `endpoints: ["https://a:1", "http://b:1"], ${tls}`,
      /external\.endpoints\.1: "http:\/\/b:1": the URL must be using the HTTPS scheme$/,
    ],
    ['endpoints: [192.0.2.20]', /endpoints\.0: "192\.0\.2\.20": the URL without scheme is not allowed$/],
    [
      'endpoints: ["https://a"], certFile: /c.crt',
      /etcd\.external: either both or none of certFile and keyFile must be set$/,
    ],
    [
      'endpoints: ["https://a"], certFile: /c.crt, keyFile: /c.key',
      /etcd\.external: setting certFile and keyFile requires caFile$/,
    ],
  ];
  for (const [fields, message] of wrong) {
    test(`is wrong in a file, and told of where it comes from the cluster: ${fields}`, () => {
      assert.throws(() => parseKubeadmConfig(external(fields)), { code: 'bad-config', message });
      const { config, warnings } = parseKubeadmConfig(external(fields), 'cluster');
      assert.equal(config.etcd.kind, 'external');
      assert.equal(warnings.length, 1);
      assert.match(warnings.join('\n'), message);
    });
  }

  test('is right as kubeadm has it', () => {
    for (const fields of [
      `endpoints: ["https://192.0.2.20:2379", "HTTPS://[2001:db8::1]:2379/"], ${tls}`,
      'endpoints: ["http://etcd.example.com:2379"]',
      `endpoints: ["https://a"], caFile: /ca.crt, certFile: "", keyFile: ""`,
    ]) {
      assert.deepEqual(parseKubeadmConfig(external(fields)).warnings, []);
    }
  });

  test('its URLs are judged as by Go', () => {
    for (const url of ['', 'etcd', '/a:b']) {
      assert.equal(endpointProblem(url, false), ': the URL without scheme is not allowed', url);
    }
    for (const url of [
      ':2379',
      '10.0.0.1:1',
      'https://a:b',
      'https://[::1',
      'https://a b',
      'https://a\u0001',
    ]) {
      assert.match(endpointProblem(url, false) ?? '', /is not a URL/, url);
    }
    for (const url of ['etcd:2379', 'https://u:p@a:1/x?y#z', 'https://a:', 'unix:///run/etcd.sock']) {
      assert.equal(endpointProblem(url, false), undefined, url);
    }
  });
});

test('an algorithm that only a newer kubeadm knows voids a file, and not what else the cluster says', () => {
  const text = cluster('certificatesDir: /pki\nencryptionAlgorithm: ML-DSA-65');
  assert.throws(() => parseKubeadmConfig(text), { code: 'bad-config' });
  assert.deepEqual(parseKubeadmConfig(text, 'cluster'), {
    config: { ...none, certificatesDir: '/pki' },
    warnings: [
      'ClusterConfiguration.encryptionAlgorithm: Invalid encryption algorithm "ML-DSA-65". Must be one of [RSA-2048 RSA-3072 RSA-4096 ECDSA-P256 ECDSA-P384]',
    ],
  });
});
