import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Balancer {
  stop(): Promise<void>;
}

/** The load balancer before the API servers: it hands each connection to the next of them that listens. */
export async function startBalancer(
  address: string,
  backends: readonly string[],
  port = 6443,
): Promise<Balancer> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  let turn = 0;
  const server = createServer({ pauseOnConnect: true }, (client) => {
    keep(client);
    turn += 1;
    const order = backends.map((_, index) => backends[(index + turn) % backends.length] ?? '');
    const tryNext = (): void => {
      const host = order.shift();
      if (host === undefined) {
        client.destroy();
        return;
      }
      const backend = connect(port, host);
      const refused = (): void => {
        backend.destroy();
        tryNext();
      };
      backend.once('error', refused);
      backend.once('connect', () => {
        backend.off('error', refused);
        keep(backend);
        // What becomes of one becomes of the other.
        backend.on('close', () => client.destroy());
        client.on('close', () => backend.destroy());
        client.pipe(backend).pipe(client);
        client.resume();
      });
    };
    tryNext();
  });
  server.listen(port, address);
  await once(server, 'listening');
  return {
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
