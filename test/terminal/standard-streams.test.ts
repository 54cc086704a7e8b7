import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KubepkiError } from '../../src/errors/error.ts';
import { collecting } from '../support/collecting.ts';

describe('output that is held back', () => {
  test('says nothing while all is well, and a warning or a record with its hint all the same', () => {
    const { open, said } = collecting();
    const terminal = open({ quiet: true });
    terminal.banner('[renew] Reading configuration');
    terminal.note('by the way');
    terminal.hint('of the note');
    terminal.result('renewed\n');
    assert.deepEqual(said, { stdout: '', stderr: '' });
    terminal.warning('look here');
    terminal.hint('of the warning');
    terminal.record('13 certificates renewed');
    terminal.hint('of the record');
    assert.deepEqual(said, {
      stdout: '',
      stderr:
        'warning: look here\nhint: of the warning\nnote: 13 certificates renewed\nhint: of the record\n',
    });
  });

  test('is released in its order by an error, before it, and so is what comes after', () => {
    const { open, said } = collecting();
    const terminal = open({ quiet: true });
    terminal.note('first');
    terminal.result('one\n');
    terminal.note('second');
    terminal.result('two\n');
    terminal.error(new KubepkiError('io', 'it broke', { hint: 'mend it' }));
    terminal.result('three\n');
    assert.deepEqual(said, {
      stdout: 'one\ntwo\nthree\n',
      stderr: 'note: first\nnote: second\nerror: it broke\nhint: mend it\n',
    });
  });

  test('is released by an error on another terminal of the run, and said once', () => {
    const { open, said, streams } = collecting();
    open({ quiet: true }).result('one\n');
    open().error(new KubepkiError('io', 'it broke'));
    streams.release();
    assert.deepEqual(said, { stdout: 'one\n', stderr: 'error: it broke\n' });
  });
});

describe('a row at the bottom of the terminal', () => {
  const erase = '\r\u001b[J';

  test('goes away for what is said, and comes back below it', () => {
    const { streams, said } = collecting({ isTerminal: true });
    streams.showStatusRow('working');
    const row = '\rworking\u001b[J\r';
    assert.equal(said.stderr, row);
    streams.write('stderr', 'look here\n');
    assert.equal(said.stderr, `${row}${erase}look here\n${row}`);
    streams.write('stdout', 'the result\n');
    assert.equal(said.stderr, `${row}${erase}look here\n${row}${erase}${row}`);
    streams.showStatusRow('');
    streams.showStatusRow('');
    streams.write('stderr', 'done\n');
    assert.equal(said.stderr, `${row}${erase}look here\n${row}${erase}${row}${erase}done\n`);
  });

  test('stays where what is said goes elsewhere', () => {
    const { streams, said } = collecting();
    streams.showStatusRow('working');
    streams.write('stdout', 'the result\n');
    assert.deepEqual(said, { stdout: 'the result\n', stderr: '\rworking\u001b[J\r' });
  });
});
