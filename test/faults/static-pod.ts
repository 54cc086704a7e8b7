import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts } from '../support/servers/free-ports.ts';

export const manifestPath = 'etc/kubernetes/manifests/kube-scheduler.yaml';

/** A static pod whose kubelet needs no time: it listens as long as its manifest is there. */
export interface StaticPod {
  /** Puts its manifest into a tree. */
  readonly lay: (directory: string) => void;
  /** From now on it follows the manifest in this tree. */
  readonly follow: (directory: string) => void;
}

export async function staticPod(t: TestContext): Promise<StaticPod> {
  const [port = 0] = await freePorts(1);
  let server: Server | undefined;
  let path: string | undefined;
  const end = new AbortController();
  const loop = (async () => {
    while (!end.signal.aborted) {
      const wanted = path !== undefined && existsSync(path);
      if (wanted && server === undefined) {
        server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
        await once(server, 'listening');
      } else if (!wanted && server !== undefined) {
        await once(server.close(), 'close');
        server = undefined;
      }
      await pause(10);
    }
    server?.close();
  })();
  t.after(async () => {
    end.abort();
    await loop;
  });
  return {
    lay: (directory) => {
      mkdirSync(join(directory, 'etc/kubernetes/manifests'), { recursive: true });
      const probe = `{tcpSocket: {host: 127.0.0.1, port: ${String(port)}}}`;
      writeFileSync(
        join(directory, manifestPath),
        `spec: {containers: [{name: kube-scheduler, livenessProbe: ${probe}}]}\n`,
        { mode: 0o640 },
      );
    },
    follow: (directory) => {
      path = join(directory, manifestPath);
    },
  };
}
