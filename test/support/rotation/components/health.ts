import type { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { identityByCertificate } from './access.ts';
import type { Flags } from './flags.ts';

/**
 * The server of a controller manager or a scheduler: its certificate is its own, and nobody verifies it. Its health is open to
 * everyone; for the rest a client has to be known, and to have rights, which nobody has here.
 * @param roots the CAs of clients as they are now; none: certificates are passed over
 */
export function serveHealth(flags: Flags, roots: () => readonly X509Certificate[]): void {
  const pair = process.env['SELF_SIGNED'] ?? '';
  const server = createServer(
    {
      ...{ cert: readFileSync(`${pair}.crt`), key: readFileSync(`${pair}.key`) },
      ...{ requestCert: true, rejectUnauthorized: false },
    },
    ({ method = 'GET', url = '/', socket }, response) => {
      if (/^\/(?:livez|readyz|healthz)/.test(url)) {
        response.end('ok');
        return;
      }
      const known = roots();
      const identity = known.length === 0 ? 'none' : identityByCertificate(socket, known);
      if (identity === 'refused') {
        response.writeHead(401).end('Unauthorized');
        return;
      }
      const name = identity === 'none' ? 'system:anonymous' : identity.username;
      response.writeHead(403).end(`User "${name}" cannot ${method.toLowerCase()} path "${url}"`);
    },
  );
  server.on('tlsClientError', () => undefined);
  server.listen(Number(flags.need('secure-port')), flags.need('bind-address'));
  process.on('SIGTERM', () => process.exit(0));
}
