/**
 * A stand-in for a component of the control plane: an HTTPS server that reads its certificate once, when it starts, and
 * answers its health endpoints. `--refuse-while=FILE`: as long as that file is there it ends at once.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const flags = new Map(
  process.argv.slice(3).map((word) => {
    const [, name, value] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
    return [name, value];
  }),
);

const refuse = flags.get('refuse-while');
if (refuse !== undefined && existsSync(refuse)) {
  console.error('refused to start');
  process.exit(1);
}

// The controller manager and the scheduler make themselves one in memory.
const selfSigned = process.env.SELF_SIGNED;
const own = flags.get('serve-self-signed') === 'true' || !flags.has('tls-cert-file');
const server = createServer(
  {
    cert: readFileSync(own ? `${selfSigned}.crt` : flags.get('tls-cert-file')),
    key: readFileSync(own ? `${selfSigned}.key` : flags.get('tls-private-key-file')),
  },
  (request, response) => {
    const healthy = ['/livez', '/healthz', '/readyz'].includes(request.url ?? '');
    response.statusCode = healthy ? 200 : request.url === '/forbidden' ? 403 : 404;
    response.end(healthy ? 'ok' : 'no');
  },
);
server.listen(Number(flags.get('secure-port')), flags.get('bind-address'));

const stubborn = flags.get('ignore-sigterm') === 'true';
process.on('SIGTERM', () => {
  if (!stubborn) process.exit(0);
});
