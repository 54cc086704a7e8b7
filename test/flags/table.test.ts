import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Command, Option } from 'commander';
import { addFlags } from '../../src/flags/command.ts';
import { flags, retyped, type Flag, type FlagName } from '../../src/flags/table.ts';

const names = Object.keys(flags) as FlagName[];

/** For every flag with a value something that it takes, and as a hint repeats that. */
const samples: Readonly<Partial<Record<FlagName, readonly [given: string, again: string]>>> = {
  accept: ['nodes, ready', 'nodes,ready'],
  destroyOldKey: ['0123456789abcdef', '0123456789abcdef'],
  from: ['cp-2.json, cp-3.json', 'cp-2.json,cp-3.json'],
  caCert: ['new-ca.crt', 'new-ca.crt'],
  crossCert: ['cross.crt', 'cross.crt'],
  import: ['my rotation.tar', `'my rotation.tar'`],
  addSan: ['API.example, 192.0.2.1', 'api.example,192.0.2.1'],
  removeSan: ['*.example', `'*.example'`],
  validity: ['90d', '90d'],
  nodeName: ['cp-1', 'cp-1'],
  advertiseAddress: ['2001:db8::1', '2001:db8::1'],
  controlPlaneEndpoint: ['api:6443', 'api:6443'],
  serviceCidr: ['10.96.0.0/12', '10.96.0.0/12'],
  dnsDomain: ['cluster.local', 'cluster.local'],
  certExtraSans: ['a, b', `'a, b'`],
  compat: ['v1.32.1', '1.32.1'],
  allowCidr: ['192.0.2.0/24, 198.51.100.0/24', '192.0.2.0/24,198.51.100.0/24'],
  allowDns: ['.example', '.example'],
  within: ['1y12h', '1y12h'],
  warning: ['30d', '30d'],
  critical: ['7d', '7d'],
  at: ['2027-01-01T01:00:00+01:00', '2027-01-01T00:00:00.000Z'],
  calendar: ['Sun 03:00', `'Sun 03:00'`],
  manifestsDir: ['/my pods', `'/my pods'`],
  settle: ['1m', '60000ms'],
  stopTimeout: ['1.5s', '1500ms'],
  startTimeout: ['0', '0ms'],
  leaseTimeout: ['1h', '3600000ms'],
  deployHook: ["echo 'done'", `'echo '\\''done'\\'''`],
  textfile: ['/k.prom', '/k.prom'],
  keepBackups: ['9', '9'],
  updateKubeconfig: ['/home/ann/.kube/a, b', `'/home/ann/.kube/a, b'`],
  csrDir: ['--odd', '--odd'],
  fromBundle: ['signed.pem', 'signed.pem'],
  signerName: ['issuers.cert-manager.io/a.b', 'issuers.cert-manager.io/a.b'],
  timeout: ['90m', '1h30m'],
  certDir: ['pki', 'pki'],
  kubeconfigDir: ['$HOME', `'$HOME'`],
  config: ['kubeadm.yaml', 'kubeadm.yaml'],
  kubeconfig: ['admin.conf', 'admin.conf'],
  rootfs: ['/mnt/node 1', `'/mnt/node 1'`],
  rootfsFrom: ['-', '-'],
  exec: ['/opt/kubepki', '/opt/kubepki'],
  unit: ['kubepki-renew.timer', 'kubepki-renew.timer'],
  outputDir: ['/etc/systemd/system', '/etc/systemd/system'],
  key: ['my key', `'my key'`],
  passphraseFile: ['my pass', `'my pass'`],
  lockTimeout: ['3s', '3000ms'],
  output: ['=json', 'json'],
};

function typed(words: readonly string[]): Record<string, unknown> {
  return addFlags(new Command().exitOverride(), names).parse(words, { from: 'user' }).opts();
}

describe('the table of flags', () => {
  test('each is called what commander calls its value', () => {
    for (const name of names) assert.equal(new Option(flags[name].syntax).attributeName(), name);
  });

  test('what kubeadm has without effect is hidden', () => {
    const hidden = addFlags(new Command(), names).options.filter((option) => option.hidden);
    assert.deepEqual(
      hidden.map(({ long }) => long),
      ['--v', '--show-managed-fields'],
    );
  });

  test('a command may say otherwise, or hide one', () => {
    const [force, rootfs, keep] = addFlags(new Command(), ['force', 'rootfs', 'keepBackups'], {
      force: { says: 'all the same' },
      rootfs: { says: undefined },
      keepBackups: { default: undefined },
    }).options;
    assert.equal(force?.description, 'all the same');
    assert.equal(rootfs?.hidden, true);
    assert.equal(keep?.defaultValue, undefined);
  });
});

describe('the flags again, for a hint', () => {
  for (const [name, [given, again]] of Object.entries(samples)) {
    const flag: Flag = flags[name as FlagName];
    const { long = '' } = new Option(flag.syntax);
    test(`${long} ${given}`, () => {
      const options = typed([`${long}=${given}`]);
      const words = retyped(options, [name as FlagName]);
      assert.deepEqual(words, [long, again]);
      // And it means the same. What the shell would take off is taken off here.
      const bare = again.replace(/^'(.*)'$/s, '$1').replaceAll(`'\\''`, `'`);
      const value = typed([`${long}=${bare}`])[name];
      const isPeriod = typeof value === 'object' && value !== null && 'text' in value;
      assert.deepEqual(isPeriod ? value.text : value, isPeriod ? given : options[name]);
    });
  }

  test('a flag whose values may have commas is repeated with each', () => {
    const options = typed(['--update-kubeconfig', 'a,b', '--update-kubeconfig', 'c']);
    assert.deepEqual(retyped(options, ['updateKubeconfig']), [
      ...['--update-kubeconfig', 'a,b'],
      ...['--update-kubeconfig', 'c'],
    ]);
  });

  test('a switch is repeated as it is; what was not typed is not, and neither is a default', () => {
    assert.deepEqual(retyped(typed(['--dry-run', '--offline']), names), ['--offline', '--dry-run']);
    assert.deepEqual(retyped(typed(['--keep-backups', '5', '--lock-timeout', '10s']), names), []);
    assert.deepEqual(retyped(typed(['--no-lease']), ['restart', 'lease']), ['--no-lease']);
  });

  test('in the order in which they are asked for, and only those', () => {
    const options = typed(['--rootfs', '/r', '--restart', '--settle', '1s', '--cert-dir', '/c']);
    assert.deepEqual(retyped(options, ['restart', 'rootfs', 'certDir']), [
      '--restart',
      ...['--rootfs', '/r'],
      ...['--cert-dir', '/c'],
    ]);
  });

  test('given twice it is one list', () => {
    const options = typed(['--add-san', 'a.example', '--add-san', 'b.example,c.example']);
    assert.deepEqual(retyped(options, ['addSan']), ['--add-san', 'a.example,b.example,c.example']);
  });

  test('every flag with a value has its sample above', () => {
    const without = names.filter((name) => flags[name].syntax.includes('<') && !(name in samples));
    // No hint repeats what verify or check-expiration asked for.
    assert.deepEqual(without, ['endpoint', 'kubeconfigFile', 'expect', 'maxAge', 'randomizedDelay', 'v']);
  });
});
