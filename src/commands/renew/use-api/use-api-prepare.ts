import { requestName } from '../../../operations/use-api/answers.ts';
import { encodeRequest, requestCertificate } from '../../../pki/request/certification-request.ts';
import { fingerprintOf } from '../../../pki/certificate/certificate.ts';
import { encodePrivateKey } from '../../../pki/key/private-key.ts';
import { randomSuffix } from '../../../pki/key/random.ts';
import { writePendingRequests, type PendingRequests } from '../../../storage/pending-requests.ts';
import type { Conclusion } from '../../../change/change-node.ts';
import { generateKeys } from '../../../change/generate-keys.ts';
import type { Node } from '../../../node/node-options.ts';
import { invocation, underLock } from '../../../change/session.ts';
import type { Terminal } from '../../../terminal/terminal.ts';
import type { ApiOptions } from './api-options.ts';
import { requireNothingWaits } from './use-api-pending.ts';
import { ownNodeName, planApiRun, requirePlaceable, type ApiRun, type ApiWishes } from './use-api-plan.ts';
import { refuse } from './use-api-result.ts';
import { noteSans } from '../wished-sans.ts';

/** Under the lock: decides again, makes the keys, and leaves word of what will be asked. */
export async function prepare(
  node: Node,
  wishes: ApiWishes,
  options: ApiOptions,
  terminal: Terminal,
): Promise<
  { readonly conclusion: Conclusion } | { readonly pending: PendingRequests; readonly plan: ApiRun['plan'] }
> {
  return underLock(node, options, terminal, async (state) => {
    requireNothingWaits(state, node, options);
    const run = planApiRun(node, wishes, options, new Date());
    const conclusion = refuse(run, node, options, terminal);
    if (conclusion !== undefined) return { conclusion };
    const requestables = run.wanted.map(({ requestable }) => requestable);
    requirePlaceable(node, run, options);
    noteSans(requestables, { difference: true }, terminal);
    const suffix = randomSuffix();
    const { root, kubeconfigDir } = node.layout;
    const made = await generateKeys(
      run.wanted,
      ({ requestable }) => requestable.keyAlgorithm,
      ({ requestable, leaf, usages }, key) => {
        const { name: certificate } = requestable.spec;
        const name = requestName(ownNodeName(), certificate, suffix);
        const request = encodeRequest(requestCertificate(requestable, key));
        const { expirationSeconds } = run;
        const asked = {
          name,
          certificate,
          request,
          usages,
          expirationSeconds,
          replaces: fingerprintOf(leaf),
        };
        return { asked, key: { name, key: encodePrivateKey(key) } };
      },
      terminal,
    );
    const pending: PendingRequests = {
      kubeconfigDir: root.resolve(kubeconfigDir),
      signerName: run.signerName,
      command: invocation(),
      requests: made.map(({ asked }) => asked),
    };
    writePendingRequests(
      state,
      pending,
      made.map(({ key }) => key),
    );
    return { pending, plan: run.plan };
  });
}
