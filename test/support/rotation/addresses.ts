import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** A part of loopback that no other cluster of the tests has: `127.A.B.` with the last number free. */
export interface Subnet {
  address(last: number): string;
  release(): void;
}

/**
 * Each cluster has the ports that kubeadm gives, at addresses of its own. A real API server publishes no address of loopback: for one,
 * KUBEPKI_SUBNET names addresses of this machine that are free, such as `10.77.1`.
 */
export async function reserveSubnet(): Promise<Subnet> {
  const given = process.env['KUBEPKI_SUBNET'];
  if (given !== undefined) return { address: (last) => `${given}.${String(last)}`, release: () => undefined };
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const seed = process.pid + attempt * 7919;
    const prefix = `127.${String(1 + (Math.floor(seed / 250) % 250))}.${String(1 + (seed % 250))}`;
    const held = await hold(`${prefix}.254`);
    if (held !== undefined)
      return { address: (last) => `${prefix}.${String(last)}`, release: () => held.close() };
  }
  throw new Error('every subnet of loopback that was tried is taken');
}

/** As long as it listens, others that try the same are refused. */
async function hold(address: string): Promise<Server | undefined> {
  const server = createServer().unref();
  server.listen(1999, address);
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}
