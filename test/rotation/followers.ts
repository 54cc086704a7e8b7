import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/deadline.ts';
import type { RotationCluster } from '../support/rotation/cluster.ts';
import { certificatesIn } from '../support/rotation/components/pem.ts';
import type { Conductor } from '../support/rotation/conductor.ts';
import type { ClusterNode } from '../support/rotation/node.ts';

interface Status {
  readonly role: string;
  readonly servers: { readonly value: readonly { readonly name: string; readonly serves: string }[] };
  readonly authorities: readonly { readonly name: string; readonly first: string; readonly last: string }[];
}

/** The workers of a cluster, which are brought to each stage by the file that a control plane exports: `ca trust`. */
export class Followers {
  readonly #openssl: string;
  readonly #cluster: RotationCluster;
  readonly #conductor: Conductor;
  /** The subjects of the CAs. */
  readonly #old: string;
  #next = '';

  constructor(openssl: string, cluster: RotationCluster, conductor: Conductor) {
    this.#openssl = openssl;
    this.#cluster = cluster;
    this.#conductor = conductor;
    this.#old = subjects(cluster.controlPlanes[0].read('pki/ca.crt')).join();
  }

  /** Has them follow when all control planes are at a stage. `finish` is nothing to them. */
  async follow(stage: 'prepare' | 'trust' | 'switch' | 'distrust' | 'finish'): Promise<void> {
    const { workers, controlPlanes } = this.#cluster;
    if (workers.length === 0 || stage === 'finish') return;
    const [first] = controlPlanes;
    const file = `/var/lib/rotation/${stage}.tar`;
    await this.#conductor.mustRun(first, 'ca', 'rotate', 'export', file);
    for (const [index, worker] of workers.entries()) {
      this.#conductor.bring(file, first, worker);
      const isFirst = index === 0;
      if (isFirst && stage === 'switch') await this.#waits(worker, file);
      await this.#trust(worker, file);
      if (isFirst && stage === 'switch') await this.#backAndForth(worker, file);
      await this.#isAt(worker, stage);
    }
  }

  async #trust(worker: ClusterNode, file: string, ...more: readonly string[]): Promise<string> {
    const { stderr } = await this.#conductor.mustRun(worker, 'ca', 'trust', file, ...more);
    if (/^hint: systemctl restart kubelet$/m.test(stderr)) await this.#conductor.restartKubelet(worker);
    return stderr;
  }

  /** Without an API server it trusts what it is to trust, and waits for its kubelet's certificate. */
  async #waits(worker: ClusterNode, file: string): Promise<void> {
    const stderr = await this.#trust(worker, file, '--offline');
    assert.match(stderr, /kubelet's certificate is of the old CA still/);
    assert.deepEqual(await this.#stages(worker), ['trust', 'switch']);
  }

  async #backAndForth(worker: ClusterNode, file: string): Promise<void> {
    await this.#conductor.mustRun(worker, 'ca', 'rollback', '--accept', 'nodes');
    assert.deepEqual(await this.#stages(worker), ['trust', 'trust']);
    await this.#trust(worker, file);
  }

  async #isAt(worker: ClusterNode, stage: 'prepare' | 'trust' | 'switch' | 'distrust'): Promise<void> {
    const trusted = subjects(worker.read('pki/ca.crt'));
    if (stage === 'trust') [, this.#next = ''] = trusted;
    const [old, next] = [this.#old, this.#next];
    const wanted = { prepare: [old], trust: [old, next], switch: [next, old], distrust: [next] };
    assert.deepEqual(trusted, wanted[stage], worker.name);
    // Its kubelet has only just been started.
    const { role, servers, authorities } = await until(
      async () => {
        const status = await this.#status(worker);
        return status.servers.value.some(({ serves }) => serves === 'unknown') ? undefined : status;
      },
      { deadlineMs: 30_000, otherwise: () => `${worker.name}: its kubelet does not answer` },
    );
    assert.equal(role, 'worker');
    assert.deepEqual(
      servers.value.map(({ name, serves }) => [name, serves]),
      [['kubelet', 'self']],
    );
    assert.deepEqual(stagesIn(authorities), [stage, stage === 'distrust' ? 'finish' : stage]);
    if (stage === 'prepare' || stage === 'trust') return;
    const leaf = new X509Certificate(readFileSync(certificateOf(worker)));
    assert.equal(leaf.issuer, next);
    assert.equal(leaf.subject.split('\n').sort().join(', '), `CN=system:node:${worker.name}, O=system:nodes`);
    if (stage !== 'distrust') return;
    const ca = worker.path('pki/ca.crt');
    const said = execFileSync(this.#openssl, [
      'verify',
      '-x509_strict',
      '-CAfile',
      ca,
      certificateOf(worker),
    ]);
    assert.match(said.toString(), /OK/);
  }

  async #status(worker: ClusterNode): Promise<Status> {
    return JSON.parse(await this.#conductor.ask(worker)) as Status;
  }

  async #stages(worker: ClusterNode): Promise<readonly string[]> {
    return stagesIn((await this.#status(worker)).authorities);
  }
}

function stagesIn(authorities: Status['authorities']): readonly string[] {
  return authorities.flatMap(({ name, first, last }) => (name === 'ca' ? [first, last] : []));
}

/** The kubelet's certificate and key: a link, as the node sees it. */
function certificateOf({ root }: ClusterNode): string {
  return join(root, readlinkSync(join(root, 'var/lib/kubelet/pki/kubelet-client-current.pem')));
}

/** Of CAs, in the file's order. */
function subjects(pem: Buffer): string[] {
  return certificatesIn(pem).map(({ subject }) => subject);
}
