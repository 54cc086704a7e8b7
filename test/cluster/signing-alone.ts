/** A process that asks the certificates API, has it fail, and should then have nothing left to wait for. */
import { text } from 'node:stream/consumers';
import { setImmediate as soon } from 'node:timers/promises';
import { KubepkiError } from '../../src/errors/error.ts';
import { withSigningApi } from '../../src/cluster/signing.ts';

const { port, ca, certificate, key } = JSON.parse(await text(process.stdin)) as {
  readonly port: number;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
};
const access = {
  server: new URL(`https://127.0.0.1:${String(port)}`),
  serverName: undefined,
  ca: Buffer.from(ca),
  credentials: { kind: 'certificate', certificate: Buffer.from(certificate), key: Buffer.from(key) },
} as const;
const off = new AbortController();

const failed = (error: unknown): void => {
  if (!(error instanceof KubepkiError)) throw error;
};
await withSigningApi(access, off.signal, async (api) => {
  console.log((await api.standing('missing')).kind);
  await api.standing('reset').catch(failed);
  console.log('broke off');
  const hanging = api.standing('hanging');
  await soon();
  off.abort();
  await hanging.catch(failed);
  console.log('called off');
});
const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout');
console.log(`timers: ${String(timers.length)}`);
