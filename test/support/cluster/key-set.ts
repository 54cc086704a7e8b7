import type { Answer } from './server.ts';

/** As a real API server (1.20) answers at /openid/v1/jwks: only one who asks for that form is given it. */
export function keySet(accept: string, keys: () => readonly object[]): Answer {
  if (accept !== 'application/jwk-set+json') {
    return { status: 406, headers: { 'content-type': 'text/plain' }, body: '406: Not Acceptable' };
  }
  return { status: 200, headers: { 'content-type': accept }, body: { keys: keys() } };
}
