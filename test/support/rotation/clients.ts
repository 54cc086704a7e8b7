import { createSecureContext } from 'node:tls';
import type { Credentials } from './components/api-client.ts';
import { isDown, reasonOf, send, type Question, type Reply } from './components/request.ts';
import { Counter } from './counter.ts';

/** Asks once, over a connection of its own. */
export type Ask = () => Promise<Reply>;

export interface CountingClient {
  readonly counter: Counter;
  readonly stop: () => Promise<void>;
}

/** Asks again and again; an answer that does not come delays the next question. */
export function startClient(ask: Ask, everyMs = 100): CountingClient {
  const counter = new Counter();
  const halt = new AbortController();
  const loop = (async () => {
    while (!halt.signal.aborted) {
      const next = new Promise((resolve) => setTimeout(resolve, everyMs));
      await countOne(ask, counter);
      await next;
    }
  })();
  return {
    counter,
    async stop() {
      halt.abort();
      await loop;
    },
  };
}

async function countOne(ask: Ask, counter: Counter): Promise<void> {
  try {
    const { status, text } = await ask();
    const said = `HTTP ${String(status)} ${text.slice(0, 200)}`;
    if (status < 400) counter.ok();
    else if (status === 503) counter.down(said);
    else counter.failed(said);
  } catch (error) {
    if (isDown(error)) counter.down(reasonOf(error));
    else counter.failed(reasonOf(error));
  }
}

type Pair = Omit<Credentials, 'server'>;

/**
 * A new connection for each question: nothing of an earlier handshake is used again. What the client holds is read once: that is half
 * of the time of a question, and there are many.
 */
function over(url: string, { ca, certificate, key }: Pair, more: Question = {}): Ask {
  const secureContext = createSecureContext({ ca, cert: certificate, key });
  return () => send(url, { agent: false, secureContext, ...more });
}

/** Reads an object of the API server's: whom it does not believe gets none, and without etcd it has none. */
export function apiAsk(
  credentials: Credentials,
  address: string,
  path = '/api/v1/namespaces/kube-system',
): Ask {
  return over(`https://${address}:6443${path}`, credentials);
}

/** Of a member of etcd, whether it is healthy, as a client that it believes. */
export function etcdAsk(credentials: Pair, address: string): Ask {
  return over(`https://${address}:2379/health`, credentials);
}

/** What the API server asks of a kubelet. kubeadm has nobody verify the kubelet's own certificate. */
export function kubeletAsk(credentials: Pair, address: string): Ask {
  return over(`https://${address}:10250/pods`, credentials, { rejectUnauthorized: false });
}

/** As a pod does: with a token, and the CA that its namespace was given. Who is believed may ask what there is to ask for. */
export function tokenAsk(token: string, ca: Buffer, address: string): Ask {
  const [secureContext, headers] = [createSecureContext({ ca }), { authorization: `Bearer ${token}` }];
  return () => send(`https://${address}:6443/api`, { agent: false, secureContext, headers });
}
