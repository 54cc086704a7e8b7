import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runWatched } from './watched.ts';

const expected = {
  endless: /no end within 1000 ms/,
  killed: /the end of the process \(SIGKILL\)/,
  thrown: /TypeError: a defect\n {4}at /,
  slow: /it took \d+ ms of CPU time/,
  talkative: /said past the terminal/,
};

for (const [kind, message] of Object.entries(expected)) {
  test(`an input that is ${kind} fails the test, which names it`, async (t) => {
    const order = { seed: 1, inputs: { [kind]: 1 }, cpuLimitMs: 100, replay: undefined };
    const silenceMs = kind === 'endless' ? 1000 : 60_000;
    await assert.rejects(
      runWatched(t, new URL('stubborn-campaigns.ts', import.meta.url), order, { silenceMs }),
      (error: Error) => {
        assert.match(error.message, message);
        if (kind !== 'talkative')
          assert.match(error.message, new RegExp(`FUZZ_INPUT='\\{"kind":"${kind}",.*\\}'`));
        return true;
      },
    );
  });
}
