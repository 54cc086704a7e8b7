/** What has been measured with what: versions of programs, nothing of the machine. */
import { isThere, run } from './child.ts';
import { version as bun } from '../../bin/standalone/compile.mjs';

export function versions(timer: string): Readonly<Record<string, string>> {
  const openssl = isThere('openssl') ? /^OpenSSL ([^ ]+)/.exec(run(['openssl', 'version']))?.[1] : undefined;
  return {
    'Node.js': process.versions.node,
    Bun: bun,
    ...(openssl === undefined ? {} : { openssl }),
    'timed by': timer,
  };
}
