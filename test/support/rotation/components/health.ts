import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { Flags } from './flags.ts';

/** The server of a controller manager or a scheduler: its certificate is its own, and nobody verifies it. */
export function serveHealth(flags: Flags): void {
  const pair = process.env['SELF_SIGNED'] ?? '';
  const server = createServer(
    { cert: readFileSync(`${pair}.crt`), key: readFileSync(`${pair}.key`) },
    (request, response) => {
      const isHealth = /^\/(?:livez|readyz|healthz)/.test(request.url ?? '');
      response.statusCode = isHealth ? 200 : 403;
      response.end(isHealth ? 'ok' : 'no');
    },
  );
  server.on('tlsClientError', () => undefined);
  server.listen(Number(flags.need('secure-port')), flags.need('bind-address'));
  process.on('SIGTERM', () => process.exit(0));
}
