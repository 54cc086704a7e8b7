import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../deadline.ts';
import type { Outcome } from '../kubepki.ts';
import type { RotationCluster } from './cluster.ts';
import { reportLines } from './counter.ts';
import type { ClusterNode } from './node.ts';

/** The operator's own directory on each node. */
const directory = '/var/lib/rotation';

/** The kubelets here look for manifests that have gone more often than a second. */
export const quick = ['--settle', '300ms'] as const;

const passphrase = 'a long passphrase, truly\n';

/** Who gives the commands of a rotation on the nodes, one after the other, and writes down what was said. */
export class Conductor {
  readonly #cluster: RotationCluster;
  readonly #transcript: string | undefined;
  /** What each node has said of itself since it was last changed, and since all were last asked anew. */
  readonly #said = new Map<ClusterNode, string>();
  #stage = '';

  /** @param transcript a file that is written on: each command with its output, `ca status` after it, and what clients have counted */
  constructor(cluster: RotationCluster, transcript: string | undefined = process.env['TRANSCRIPT']) {
    this.#cluster = cluster;
    this.#transcript = transcript;
    for (const { root } of cluster.nodes) mkdirSync(join(root, directory), { recursive: true, mode: 0o700 });
  }

  async run(node: ClusterNode, ...args: readonly string[]): Promise<Outcome> {
    const outcome = await node.run(...args);
    this.#said.delete(node);
    this.#write(`${node.name}# kubepki ${args.join(' ')}`, outcome.stdout + outcome.stderr);
    if (outcome.code !== 0) this.#write(`(exit code ${String(outcome.code)})`);
    return outcome;
  }

  async mustRun(node: ClusterNode, ...args: readonly string[]): Promise<Outcome> {
    const outcome = await this.run(node, ...args);
    assert.equal(
      outcome.code,
      0,
      `${node.name}: kubepki ${args.join(' ')}\n${outcome.stdout}${outcome.stderr}`,
    );
    return outcome;
  }

  /** Prepares the rotation on the first control plane, and brings it to the others, keys and all. */
  async prepare(...names: readonly string[]): Promise<void> {
    const [first, ...others] = this.#cluster.controlPlanes;
    await this.mustRun(first, 'ca', 'rotate', 'prepare', ...names);
    if (others.length === 0) return;
    const file = `${directory}/rotation.tar`;
    await this.mustRun(first, 'ca', 'rotate', 'export', file, '--with-keys', ...this.sealed(first));
    for (const node of others) {
      this.bring(file, first, node);
      await this.mustRun(node, 'ca', 'rotate', 'prepare', '--import', file, ...this.sealed(node));
    }
  }

  /** The words by which keys are sealed, and opened. */
  sealed(node: ClusterNode): readonly string[] {
    return ['--passphrase-file', this.#put(node, 'passphrase', passphrase)];
  }

  /** Carries a file from one node to another. */
  bring(file: string, from: ClusterNode, to: ClusterNode): void {
    copyFileSync(join(from.root, file), join(to.root, file));
  }

  /**
   * What the other nodes say of themselves, in files on a node, as `--from` takes them.
   * @param stage what is told counts as long as the cluster is at it: who was changed since then is asked again, and the others are not
   */
  async from(node: ClusterNode, stage: string): Promise<readonly string[]> {
    if (this.#stage !== stage) this.#said.clear();
    this.#stage = stage;
    const others = this.#cluster.nodes.filter((one) => one !== node);
    const files = await Promise.all(
      others.map(async (one) =>
        this.#put(node, `${one.name}.json`, this.#said.get(one) ?? (await this.ask(one))),
      ),
    );
    return files.length === 0 ? [] : ['--from', files.join(',')];
  }

  /** What a node says of itself now. */
  async ask(node: ClusterNode): Promise<string> {
    const { code, stdout, stderr } = await node.run('ca', 'status', '-o', 'json');
    assert.equal(code, 0, stderr);
    this.#said.set(node, stdout);
    return stdout;
  }

  /** Brings a node to a stage, restarts its kubelet where `ca status` says so, and writes down where the rotation is then. */
  async stage(stage: string, node: ClusterNode, ...more: readonly string[]): Promise<void> {
    // Nodes become Ready again, and CAs are published, after a while.
    await this.#cluster.settled();
    // What is not met, or was just being restarted, is looked at again, as an operator does.
    for (let left = 30; left > 0; left -= 1) {
      const from = await this.from(node, stage);
      const words = ['ca', 'rotate', stage, '--restart', ...quick, ...from, ...more];
      const { code, stdout, stderr } = await this.run(node, ...words);
      if (code === 0) break;
      const waits = code === 1 && /^(?:NOT MET|not measured) /m.test(stdout) && left > 1;
      assert.ok(waits, `${node.name}: kubepki ${words.join(' ')}\n${stdout}${stderr}`);
      await sleep(2000);
      this.#said.clear();
    }
    await this.after(node);
  }

  /** What an operator does when a stage was reached or taken back. */
  async after(node: ClusterNode): Promise<void> {
    // As long as one process is away it is not told when any was started.
    await this.#cluster.settled();
    const stdout = await until(
      async () => {
        const said = (await this.mustRun(node, 'ca', 'status')).stdout;
        return /^started +not measured/m.test(said) ? undefined : said;
      },
      { deadlineMs: 60_000, otherwise: () => `${node.name}: it is not told when processes were started` },
    );
    if (stdout.includes('kubelet has to be restarted')) {
      await this.restartKubelet(node);
    }
    this.counts();
  }

  async restartKubelet(node: ClusterNode): Promise<void> {
    this.#write(`${node.name}# systemctl restart kubelet`);
    await node.restartKubelet();
    this.#said.delete(node);
  }

  /** Writes down what became of the clients' requests. */
  counts(): void {
    this.#write('', reportLines(this.#cluster.report()).join('\n'));
  }

  note(...lines: readonly string[]): void {
    this.#write(...lines);
  }

  #put(node: ClusterNode, name: string, text: string): string {
    const path = `${directory}/${name}`;
    writeFileSync(join(node.root, path), text, { mode: 0o600 });
    return path;
  }

  #write(...texts: readonly string[]): void {
    if (this.#transcript !== undefined)
      appendFileSync(this.#transcript, texts.map((text) => `${text.trimEnd()}\n`).join(''));
  }
}
