import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';

const words = (line: string): string[] => line.split(' ').filter((word) => word !== '');

describe('what was meant is said, and nothing is done', () => {
  for (const [typed, meant] of [
    ['renew all --within 30d --rootfs /r', 'kubepki certs renew all --within 30d --rootfs /r'],
    ['check-expiry', 'kubepki certs check-expiration'],
    ['certs check-expiry --within 30d', 'kubepki certs check-expiration --within 30d'],
    ['certs restart etcd', 'kubepki restart etcd'],
    ['certs renw all --rootfs /r --dry-run', 'kubepki certs renew all --rootfs /r --dry-run'],
    ['cert renew all', 'kubepki certs renew all'],
    ['approve csr-1', 'kubepki csr approve csr-1'],
    ['certs renew api-server --rootfs /r', 'kubepki certs renew apiserver --rootfs /r'],
    ['certs renew etcd/server /etc/kubernetes/admin.conf', 'kubepki certs renew etcd-server admin.conf'],
    ['certs renew api-server --csr-only', 'kubepki certs renew apiserver --csr-only'],
    ['certs renew api-server --use-api', 'kubepki certs renew apiserver --use-api'],
    ['certs install peer.crt', 'kubepki certs install etcd-peer'],
    ['certs generate kubelet', 'kubepki certs generate kubelet.conf'],
    ['certs renew kubelet', 'kubepki certs renew kubelet.conf'],
    ['certs renew /var/lib/kubelet/pki/kubelet-client-current.pem', 'kubepki certs renew kubelet.conf'],
    ['restart apiserver --rootfs /r', 'kubepki restart kube-apiserver --rootfs /r'],
    ['restart all', 'kubepki restart'],
    ['completion Bash', 'kubepki completion bash'],
  ] as const) {
    test(typed, async () => {
      const { stdout, stderr, code } = await kubepki(words(typed));
      assert.deepEqual([stdout, code], ['', 1]);
      assert.match(stderr, /^error: unknown (?:command|certificate|component|shell) "/);
      assert.equal(stderr.split('\n').slice(1).join('\n'), `hint: did you mean: ${meant}\n`);
    });
  }

  for (const [typed, stderr] of [
    [
      'certs renew ca --rootfs /r',
      'error: ca is a CA, and no CA is renewed by this command, nor by kubeadm\n' +
        'hint: to renew it with its key: kubepki ca renew ca --rootfs /r; to replace it, key and all: kubepki ca rotate --rootfs /r\n',
    ],
    [
      'certs renew apiserver kubelet.conf --csr-only --rootfs /r',
      'error: the kubelet asks for its certificates itself, so that none is renewed in this way\n' +
        'hint: when it has expired, on a node with the key of the CA: kubepki certs renew kubelet.conf --rootfs /r; ' +
        'where that is elsewhere, have the node join again: kubeadm token create --print-join-command\n',
    ],
    [
      'certs renew sa',
      'error: sa is a key pair without a certificate, and does not expire\n' +
        'hint: where there is none, this makes it: kubepki certs generate sa\n',
    ],
    [
      'certs renew etcd',
      'error: unknown certificate "etcd"\nhint: etcd is a component; with all that it uses: ' +
        'kubepki certs renew etcd-healthcheck-client etcd-peer etcd-server\n',
    ],
    [
      'restart kubelet',
      'error: the kubelet is no static pod, and not restarted here\nhint: systemctl restart kubelet\n',
    ],
    // Which of the two words is the name cannot be told, so that only the name is said.
    [
      'certs renew api-server --csr-dir api-server --csr-only',
      'error: unknown certificate "api-server"\nhint: did you mean: apiserver\n',
    ],
    [
      'certs renew api-server nonsense',
      /^error: unknown certificate "nonsense"\nhint: use one of: all, admin\.conf, apiserver, /,
    ],
    ['certs renew etcd-c', /^error: unknown certificate "etcd-c"\nhint: use one of: all, /],
    [
      'certs renew all -o yml',
      "error: option '-o, --output <format>' argument 'yml' is invalid. use text, json or yaml\nhint: did you mean yaml?\n",
    ],
    ['certs check-expiration -o prom', /\nhint: did you mean prometheus\?\n$/],
    ['systemd --unit renew', /\nhint: kubepki systemd --help shows what there is\n$/],
    ['certs renew --dry-rum', /^error: unknown option '--dry-rum'\nhint: did you mean --dry-run\?\n$/],
    ['--nope renew', /^error: unknown option '--nope'\nhint: kubepki --help shows what there is\n$/],
    [
      'certs generat',
      /^error: .*\nhint: did you mean one of: kubepki certs generate, kubepki certs generate-csr\n$/,
    ],
  ] as const) {
    test(typed, async () => {
      const outcome = await kubepki(words(typed));
      assert.deepEqual([outcome.stdout, outcome.code], ['', 1]);
      if (typeof stderr === 'string') assert.equal(outcome.stderr, stderr);
      else assert.match(outcome.stderr, stderr);
    });
  }
});

describe('help, as kubeadm has it', () => {
  for (const [typed, same] of [
    ['help', '--help'],
    ['help certs', 'certs --help'],
    ['help certs renew', 'certs renew --help'],
    ['help certs renew apiserver', 'certs renew --help'],
    ['certs help', 'certs --help'],
    ['certs help renew', 'certs renew --help'],
    ['help restart', 'restart --help'],
  ] as const) {
    test(typed, async () => {
      const outcome = await kubepki(words(typed));
      assert.deepEqual([outcome.code, outcome.stderr], [0, '']);
      assert.match(outcome.stdout, /^Usage: kubepki /);
      assert.deepEqual(outcome, await kubepki(words(same)));
    });
  }

  test('of what there is not', async () => {
    const { stdout, stderr, code } = await kubepki(['help', 'certs', 'renw']);
    assert.deepEqual([stdout, code], ['', 1]);
    assert.equal(
      stderr,
      'error: unknown command "renw" for "kubepki certs"\nhint: did you mean: kubepki certs renew\n',
    );
  });
});
