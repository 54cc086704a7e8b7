import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leafFile, type LeafFiles } from '../certificates/certificates.ts';
import { until } from '../deadline.ts';
import { freePorts } from './free-ports.ts';

export interface EtcdCluster {
  /** https URLs for clients, one for each member. */
  readonly endpoints: readonly string[];
  /** https URLs for peers. */
  readonly peers: readonly string[];
  /** What the members have logged so far. */
  log(): string;
  /** Kills the members and removes their data. */
  stop(): Promise<void>;
}

interface Member {
  readonly name: string;
  readonly client: string;
  readonly peer: string;
}

/**
 * Starts etcd members on loopback that demand client certificates from clients and from each other, with a node's
 * etcd/server and etcd/peer files, as kubeadm's static pod does. Returns when each says it serves clients, which a
 * member does only after a leader was elected, over peer TLS.
 */
export async function startEtcdCluster(
  etcd: string,
  leaves: readonly LeafFiles[],
  size: number,
): Promise<EtcdCluster> {
  // A port that was free may be taken by the time etcd binds it: other test files run beside this one.
  for (let attempt = 1; ; attempt += 1) {
    const cluster = launch(etcd, leaves, await chooseMembers(size));
    try {
      await until(() => cluster.ready(), {
        deadlineMs: 60_000,
        otherwise: () => `the etcd cluster did not become ready:\n${cluster.log()}`,
      });
      return cluster;
    } catch (cause) {
      await cluster.stop();
      if (attempt === 3 || !cluster.log().includes('address already in use')) throw cause;
    }
  }
}

function launch(
  etcd: string,
  leaves: readonly LeafFiles[],
  members: readonly Member[],
): EtcdCluster & { ready(): true | undefined } {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'kubepki-etcd-'));
  const server = leafFile(leaves, 'etcd-server');
  const peer = leafFile(leaves, 'etcd-peer');
  const initialCluster = members.map((member) => `${member.name}=${member.peer}`).join(',');
  const running = members.map((member) =>
    follow(
      spawn(
        etcd,
        [
          `--name=${member.name}`,
          `--data-dir=${join(dataDirectory, member.name)}`,
          `--listen-client-urls=${member.client}`,
          `--advertise-client-urls=${member.client}`,
          `--listen-peer-urls=${member.peer}`,
          `--initial-advertise-peer-urls=${member.peer}`,
          `--initial-cluster=${initialCluster}`,
          `--cert-file=${server.certificate}`,
          `--key-file=${server.key}`,
          `--trusted-ca-file=${server.ca}`,
          '--client-cert-auth=true',
          `--peer-cert-file=${peer.certificate}`,
          `--peer-key-file=${peer.key}`,
          `--peer-trusted-ca-file=${peer.ca}`,
          '--peer-client-cert-auth=true',
          '--logger=zap',
        ],
        // etcd 3.4 starts on other machines than amd64 only when told to.
        {
          env: process.arch === 'x64' ? {} : { ETCD_UNSUPPORTED_ARCH: process.arch },
          stdio: ['ignore', 'ignore', 'pipe'],
        },
      ),
    ),
  );
  const log = (): string => running.map((member) => member.log()).join('\n');
  return {
    endpoints: members.map((member) => member.client),
    peers: members.map((member) => member.peer),
    log,
    ready() {
      const dead = running.find((member) => member.process.exitCode !== null);
      if (dead !== undefined) throw new Error(`etcd exited:\n${dead.log()}`);
      return running.every((member) => member.log().includes('serving client traffic securely'))
        ? true
        : undefined;
    },
    async stop() {
      await Promise.all(running.map((member) => kill(member.process)));
      // Only now: a member that still writes would put files back.
      rmSync(dataDirectory, { recursive: true, force: true });
    },
  };
}

function follow(process: ChildProcess): { readonly process: ChildProcess; log(): string } {
  let log = '';
  process.stderr?.setEncoding('utf8').on('data', (chunk: string) => (log += chunk));
  process.on('error', (error) => (log += error.message));
  return { process, log: () => log };
}

async function kill(process: ChildProcess): Promise<void> {
  if (process.pid === undefined || process.exitCode !== null || process.signalCode !== null) return;
  const exited = once(process, 'exit');
  process.kill('SIGKILL');
  await exited;
}

async function chooseMembers(size: number): Promise<readonly Member[]> {
  const ports = await freePorts(size * 2);
  const url = (index: number): string => `https://127.0.0.1:${String(ports[index])}`;
  return Array.from({ length: size }, (_, index) => ({
    name: `member-${String(index + 1)}`,
    client: url(index * 2),
    peer: url(index * 2 + 1),
  }));
}
