import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ask } from '../../src/cluster/api.ts';
import { expect } from '../../src/cluster/expected.ts';
import { readRefusedRequests } from '../../src/cluster/refused-requests.ts';

function giving(text: string): Ask {
  return async ({ answer }) => {
    await Promise.resolve();
    return expect(text, answer);
  };
}

/** As kube-apiserver writes them, among some thousand others. */
const started = `# HELP process_start_time_seconds [ALPHA] Start time of the process since unix epoch in seconds.
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.79591e+09
`;

const attempts = `# HELP authentication_attempts [ALPHA] Counter of authenticated attempts.
# TYPE authentication_attempts counter
authentication_attempts{result="error"} 3
authentication_attempts{result="failure"} 7
authentication_attempts{result="success"} 1.234567e+06
# TYPE apiserver_request_total counter
apiserver_request_total{code="401",component="apiserver",verb="GET"} 99
`;

test('of the metrics of an API server only whom it did not believe is counted', async () => {
  assert.deepEqual(await readRefusedRequests(giving(attempts + started)), {
    count: 3,
    startedAt: '1.79591e+09',
  });
});

test('none was refused where only successes are listed, and nothing is known where nothing is', async () => {
  const never = attempts.replace('authentication_attempts{result="error"} 3\n', '');
  assert.deepEqual(await readRefusedRequests(giving(never)), { count: 0, startedAt: undefined });
  assert.deepEqual(await readRefusedRequests(giving(started)), {
    count: undefined,
    startedAt: '1.79591e+09',
  });
});
