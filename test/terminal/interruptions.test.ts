import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CleanedUp, Interruptions } from '../../src/terminal/interruptions.ts';
import { collecting } from '../support/collecting.ts';

describe('an interruption', () => {
  test('cleans up at once, the last first, whichever of it fails, and once', () => {
    const { interruptions } = collecting();
    const order: string[] = [];
    const said = (text: string): (() => CleanedUp | undefined) => {
      return () => {
        order.push(text);
        return { said: text };
      };
    };
    interruptions.onInterrupt(said('lock'));
    interruptions.onInterrupt(() => {
      throw new Error('busy');
    });
    const forget = interruptions.onInterrupt(said('forgotten'));
    interruptions.onInterrupt(said('staged'));
    interruptions.onInterrupt(() => undefined);
    forget();
    assert.deepEqual(interruptions.interrupt(130), [{ said: 'staged' }, { said: 'lock' }]);
    assert.deepEqual(interruptions.interrupt(130), []);
    assert.deepEqual(order, ['staged', 'lock']);
  });

  test('waits in a hold, and is known there', async () => {
    const { interruptions } = collecting();
    let cleaned = false;
    interruptions.onInterrupt(() => {
      cleaned = true;
      return undefined;
    });
    interruptions.hold();
    assert.equal(await interruptions.duringHold(), undefined);
    assert.equal(interruptions.interrupt(143), undefined);
    assert.equal(await interruptions.duringHold(), 143);
    assert.equal(cleaned, false);
    interruptions.endHold();
    assert.deepEqual(interruptions.interrupt(130), []);
    assert.equal(cleaned, true);
  });

  test('a signal that comes in the same turn as the question is known', async () => {
    const { interruptions } = collecting();
    interruptions.hold();
    const asked = interruptions.duringHold();
    setImmediate(() => interruptions.interrupt(130));
    assert.equal(await asked, 130);
  });
});

describe('the last word of a run that was interrupted', () => {
  const table: readonly (readonly [
    what: string,
    told: (interruptions: Interruptions) => void,
    word: string,
    changed: boolean,
  ])[] = [
    ['nothing was done', () => undefined, 'nothing was changed', false],
    [
      'an earlier change was brought to an end',
      (run) => {
        run.noteRecovered();
      },
      'the earlier change was brought to an end, nothing else was changed',
      false,
    ],
    [
      'a change was made',
      (run) => {
        run.noteChanged();
      },
      'the change is done and complete',
      true,
    ],
    [
      'a change was made, after an earlier one or before another was recovered',
      (run) => {
        run.noteRecovered();
        run.noteChanged();
        run.noteRecovered();
      },
      'the change is done and complete',
      true,
    ],
    [
      'components were restarted',
      (run) => {
        run.noteRestarted('etcd');
        run.noteRestarted('kube-apiserver');
      },
      'restarted: etcd, kube-apiserver',
      true,
    ],
    [
      'a component was restarted after an earlier change was brought to an end',
      (run) => {
        run.noteRecovered();
        run.noteRestarted('etcd');
      },
      'the earlier change was brought to an end; restarted: etcd',
      true,
    ],
    [
      'requests were decided, and one was not after all',
      (run) => {
        run.noteDecision('csr-1', 'csr-1 approved');
        run.noteDecision('csr-2', 'perhaps csr-2 approved');
        run.noteDecision('csr-3', 'perhaps csr-3 approved');
        run.noteDecision('csr-3', undefined);
      },
      'csr-1 approved; perhaps csr-2 approved',
      true,
    ],
    [
      'no request was decided after all',
      (run) => {
        run.noteDecision('csr-1', 'perhaps csr-1 denied');
        run.noteDecision('csr-1', undefined);
      },
      'nothing was changed',
      false,
    ],
    [
      'all of it',
      (run) => {
        run.noteChanged();
        run.noteRestarted('etcd');
        run.noteDecision('csr-1', 'csr-1 denied');
      },
      'the change is done and complete; restarted: etcd; csr-1 denied',
      true,
    ],
  ];
  for (const [what, tell, word, changed] of table) {
    test(what, () => {
      const { interruptions, streams, said } = collecting();
      tell(interruptions);
      assert.equal(interruptions.wasChanged(), changed);
      interruptions.say(streams);
      assert.deepEqual(said, { stdout: '', stderr: `interrupted: ${word}\n` });
    });
  }

  test('what was cleaned up comes last; where that touched something, nobody is told that nothing was changed', () => {
    const { interruptions, streams, said } = collecting();
    interruptions.say(streams, [{ said: 'to go on: this' }]);
    interruptions.say(streams, [{ said: 'etcd was being stopped', changed: true }, { said: 'then: that' }]);
    assert.equal(
      said.stderr,
      'interrupted: nothing was changed; to go on: this\ninterrupted: etcd was being stopped; then: that\n',
    );
  });

  test('it begins on a line of its own, and what was held back comes before it', () => {
    const { interruptions, streams, said, open } = collecting({ isTerminal: true });
    const terminal = open({ quiet: true });
    terminal.note('by the way');
    terminal.result('renewed\n');
    assert.deepEqual(said, { stdout: '', stderr: '' });
    interruptions.say(streams);
    assert.deepEqual(said, {
      stdout: 'renewed\n',
      stderr: 'note: by the way\n\ninterrupted: nothing was changed\n',
    });
  });

  test('a name from a file or a cluster cannot steer the terminal', () => {
    const { interruptions, streams, said } = collecting();
    interruptions.noteRestarted('\u001b[2J');
    interruptions.say(streams);
    assert.ok(!said.stderr.includes('\u001b'));
  });
});
