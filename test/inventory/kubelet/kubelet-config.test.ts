import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { FileSystemRoot } from '../../../src/filesystem/root.ts';
import { readKubeletConfig } from '../../../src/inventory/kubelet/kubelet-config.ts';
import { readKubeletFlags } from '../../../src/inventory/kubelet/kubelet-flags.ts';
import { temporaryDirectory } from '../../support/tree.ts';

type Files = Readonly<Record<string, string>>;

function rootWith(t: TestContext, files: Files): { directory: string; root: FileSystemRoot } {
  const directory = temporaryDirectory(t);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return { directory, root: FileSystemRoot.open(directory, '/') };
}

const configYaml = 'var/lib/kubelet/config.yaml';

/** With the paths as somebody inside the root sees them. */
function configOf(t: TestContext, files: Files): unknown {
  const { directory, root } = rootWith(t, files);
  const config = readKubeletConfig(root);
  if (config.status !== 'present') return config.status;
  const { path, fileCheckFrequency, staticPodPath, serverTLSBootstrap } = config.value;
  const { isOn, saidBy } = serverTLSBootstrap;
  assert.equal(path, join(directory, configYaml));
  const by =
    saidBy.kind === 'file' ? root.display(saidBy.path) : saidBy.kind === 'flag' ? saidBy.flag : 'default';
  return { fileCheckFrequency, staticPodPath, isOn, by };
}

const main = { [configYaml]: 'staticPodPath: /etc/kubernetes/manifests\nfileCheckFrequency: 0s\n' };
const dropIns = '/etc/kubernetes/kubelet.conf.d';
const extraArgs = { 'etc/default/kubelet': `KUBELET_EXTRA_ARGS="--v=2 --config-dir=${dropIns}"\n` };
const below = dropIns.slice(1);

describe("the kubelet's configuration", () => {
  test('is that of its file', (t) => {
    assert.deepEqual(configOf(t, main), {
      fileCheckFrequency: '0s',
      staticPodPath: '/etc/kubernetes/manifests',
      isOn: false,
      by: 'default',
    });
    assert.equal(configOf(t, {}), 'missing');
    assert.equal(configOf(t, { ...main, ...extraArgs, [`${below}/a.conf`]: 'a: [' }), 'unreadable');
  });

  test('with its drop-ins over it, the last of them wins', (t) => {
    const files = {
      ...main,
      ...extraArgs,
      [`${below}/10-a.conf`]: 'serverTLSBootstrap: true\nstaticPodPath: /a\n',
      [`${below}/20-b/x.conf`]: 'staticPodPath: /b\n',
      [`${below}/30-c.conf`]: 'fileCheckFrequency: 4m0s\n',
      [`${below}/99-d.yaml`]: 'serverTLSBootstrap: false\nstaticPodPath: /d\n',
    };
    assert.deepEqual(configOf(t, files), {
      fileCheckFrequency: '4m0s',
      staticPodPath: '/b',
      isOn: true,
      by: `${dropIns}/10-a.conf`,
    });
    const over = { ...files, [`${below}/40-e.conf`]: 'serverTLSBootstrap: no\nstaticPodPath: null\n' };
    assert.deepEqual(configOf(t, over), {
      fileCheckFrequency: '4m0s',
      staticPodPath: undefined,
      isOn: false,
      by: `${dropIns}/40-e.conf`,
    });
    // Nobody told the kubelet of the directory.
    assert.deepEqual(configOf(t, { ...over, 'etc/default/kubelet': '' }), configOf(t, main));
  });

  test('and its flags over all', (t) => {
    const files = {
      ...main,
      ...extraArgs,
      [`${below}/a.conf`]: 'serverTLSBootstrap: true\nstaticPodPath: /a\n',
      'var/lib/kubelet/kubeadm-flags.env':
        'KUBELET_KUBEADM_ARGS="--rotate-server-certificates=false --pod-manifest-path /flag --file-check-frequency=1m"\n',
    };
    assert.deepEqual(configOf(t, files), {
      fileCheckFrequency: '1m',
      staticPodPath: '/flag',
      isOn: false,
      by: '--rotate-server-certificates=false',
    });
    const on = {
      ...main,
      'etc/sysconfig/kubelet': 'KUBELET_EXTRA_ARGS=--rotate-server-certificates --v=1\n',
    };
    assert.deepEqual(configOf(t, on), {
      fileCheckFrequency: '0s',
      staticPodPath: '/etc/kubernetes/manifests',
      isOn: true,
      by: '--rotate-server-certificates=true',
    });
  });
});

describe("the kubelet's flags are those of its unit", () => {
  const tenKubeadm = `# Note: This dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`;
  const kubeadm = [
    '--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf',
    '--kubeconfig=/etc/kubernetes/kubelet.conf',
    '--config=/var/lib/kubelet/config.yaml',
  ];
  const unit = 'usr/lib/systemd/system/kubelet.service';

  const cases: readonly (readonly [string, Files, readonly string[]])[] = [
    [
      'of kubeadm',
      {
        [unit]: '[Unit]\nDescription=kubelet\n[Service]\nExecStart=/usr/bin/kubelet\n',
        [`${unit}.d/10-kubeadm.conf`]: tenKubeadm,
        'var/lib/kubelet/kubeadm-flags.env': 'KUBELET_KUBEADM_ARGS="--hostname-override=cp-1"\n',
      },
      [...kubeadm, '--hostname-override=cp-1'],
    ],
    [
      'with a drop-in of one’s own, over which the file wins',
      {
        [`${unit}.d/10-kubeadm.conf`]: tenKubeadm,
        'etc/systemd/system/kubelet.service.d/20-own.conf':
          '[Service]\nEnvironment="KUBELET_EXTRA_ARGS=--config-dir=/a --v=2"\n',
      },
      [...kubeadm, '--config-dir=/a', '--v=2'],
    ],
    [
      'with a drop-in of one’s own that the file overrules',
      {
        [`${unit}.d/10-kubeadm.conf`]: tenKubeadm,
        'etc/systemd/system/kubelet.service.d/20-own.conf':
          '[Service]\nEnvironment=KUBELET_EXTRA_ARGS=--config-dir=/a\n',
        'etc/default/kubelet': "# own\nKUBELET_EXTRA_ARGS='--config-dir=/b'\n",
      },
      [...kubeadm, '--config-dir=/b'],
    ],
    [
      'with kubeadm’s drop-in masked by one in /etc',
      {
        [`${unit}.d/10-kubeadm.conf`]: tenKubeadm,
        'etc/systemd/system/kubelet.service.d/10-kubeadm.conf':
          '[Service]\nEnvironment=DIR=/x\nExecStart=/usr/local/bin/kubelet \\\n  --config-dir=${DIR}/y \\\n  "--v=4"\n',
      },
      ['--config-dir=/x/y', '--v=4'],
    ],
  ];
  for (const [name, files, expected] of cases) {
    test(name, (t) => {
      assert.deepEqual(readKubeletFlags(rootWith(t, files).root), expected);
    });
  }
});
