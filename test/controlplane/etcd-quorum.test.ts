import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import type { EtcdEndpoint } from '../../src/controlplane/etcd-members.ts';
import { quorumNow, quorumWithout, type QuorumAnswer } from '../../src/controlplane/etcd-quorum.ts';

/** What a member answers, by path: a status and a body, `seconds` after the first question. */
type Answers = (path: string, seconds: number) => { readonly status: number; readonly body: unknown };

interface Time {
  seconds: number;
}

/** A member that speaks plain HTTP. @returns its URL */
async function member(t: TestContext, time: Time, answers: Answers): Promise<string> {
  const server = createServer((request, response) => {
    const { status, body } = answers(request.url?.split('?')[0] ?? '', time.seconds);
    response
      .writeHead(status, { connection: 'close' })
      .end(typeof body === 'string' ? body : JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

const well = { status: 200, body: { health: 'true' } };
// grpc-gateway's answer while the connection to its own member is down, word for word (etcd 3.4.23).
const closed = { status: 503, body: { error: 'connection closed', message: 'connection closed', code: 14 } };

function listOf(...others: readonly (readonly [name: string, ...urls: string[]])[]): ReturnType<Answers> {
  const members = others.map(([name, ...clientURLs], index) => ({ ID: String(index + 2), name, clientURLs }));
  return {
    status: 200,
    body: { header: { member_id: '1' }, members: [{ ID: '1', name: 'own', clientURLs: [] }, ...members] },
  };
}

function ownMember(list: (seconds: number) => ReturnType<Answers>, health: Answers = () => well): Answers {
  return (path, seconds) => (path === '/v3/cluster/member/list' ? list(seconds) : health(path, seconds));
}

interface Asked {
  readonly answer: QuorumAnswer;
  readonly seconds: number;
  readonly waited: readonly string[];
}

/** Under a clock that only moves when somebody sleeps. */
async function asked(
  url: string,
  time: Time,
  { patienceMs = 30_000, peers }: { readonly patienceMs?: number; readonly peers?: EtcdEndpoint } = {},
): Promise<Asked> {
  const waited: string[] = [];
  const answer = await quorumWithout(
    { url: new URL(url), tls: undefined, peers, name: 'own' },
    {
      patienceMs,
      waiting: (reason) => waited.push(reason),
      clock: {
        elapsed: () => time.seconds * 1000,
        sleep: (milliseconds) => {
          time.seconds += milliseconds / 1000;
          return Promise.resolve();
        },
      },
    },
  );
  return { answer, seconds: time.seconds, waited: [...new Set(waited)] };
}

describe('what may pass is tried again', () => {
  test('a gateway that answers 503 for some seconds after its certificate was renewed', async (t) => {
    const time = { seconds: 0 };
    const url = await member(
      t,
      time,
      ownMember((seconds) => (seconds < 12 ? closed : listOf())),
    );
    assert.deepEqual(await asked(url, time), {
      answer: { answer: 'safe' },
      seconds: 12,
      waited: [`HTTP 503 at ${url}/v3/cluster/member/list`],
    });
  });

  test('for 30 s', async (t) => {
    const time = { seconds: 0 };
    const url = await member(
      t,
      time,
      ownMember(() => closed),
    );
    const { answer, seconds } = await asked(url, time);
    assert.deepEqual(answer, {
      answer: 'unknown',
      reason: `HTTP 503 at ${url}/v3/cluster/member/list`,
    });
    assert.equal(seconds, 30);
  });

  for (const status of [401, 403, 404]) {
    test(`HTTP ${String(status)} does not pass, and is called by its number`, async (t) => {
      const time = { seconds: 0 };
      const url = await member(t, time, () => ({ status, body: 'no' }));
      const { answer, seconds } = await asked(url, time);
      assert.equal(answer.answer, 'unknown');
      assert.equal(
        'reason' in answer && answer.reason,
        `HTTP ${String(status)} at ${url}/v3/cluster/member/list`,
      );
      assert.equal(seconds, 0);
    });
  }

  test('another member that has just been restarted', async (t) => {
    const time = { seconds: 0 };
    const second = await member(t, time, (_, seconds) =>
      seconds < 7 ? { status: 503, body: { health: 'false', reason: 'RAFT NO LEADER' } } : well,
    );
    const third = await member(t, time, () => well);
    const url = await member(
      t,
      time,
      ownMember(() => listOf(['second', second], ['third', third])),
    );
    assert.deepEqual(await asked(url, time), {
      answer: { answer: 'safe' },
      seconds: 7,
      waited: [
        `of 3 members, 1 would be left, and 2 are needed (not healthy: second: HTTP 503 (RAFT NO LEADER) at ${second}/health)`,
      ],
    });
  });

  test('not what no time can mend: of two members neither can be spared', async (t) => {
    const time = { seconds: 0 };
    const second = await member(t, time, () => well);
    const url = await member(
      t,
      time,
      ownMember(() => listOf(['second', second])),
    );
    assert.deepEqual(await asked(url, time), {
      answer: { answer: 'lost', reason: 'of 2 members, 1 would be left, and 2 are needed' },
      seconds: 0,
      waited: [],
    });
  });

  test('nothing with --force: it is stopped whatever the answer is', async (t) => {
    const time = { seconds: 0 };
    const url = await member(
      t,
      time,
      ownMember(() => closed),
    );
    const { answer, seconds } = await asked(url, time, { patienceMs: 0 });
    assert.deepEqual([answer.answer, seconds], ['unknown', 0]);
  });
});

test('a single member has no quorum to lose, however it is', async (t) => {
  const time = { seconds: 0 };
  const url = await member(
    t,
    time,
    ownMember(
      () => listOf(),
      () => ({ status: 503, body: { health: 'false' } }),
    ),
  );
  assert.deepEqual(await asked(url, time), { answer: { answer: 'safe' }, seconds: 0, waited: [] });
});

describe('while the gateway of a renewed member still answers 503, the members are asked as a member asks them', () => {
  const own = { name: 'own', peerURLs: ['https://192.0.2.1:2380'], clientURLs: ['https://192.0.2.1:2379'] };
  for (const [what, members, answer] of [
    ['a single member has no quorum to lose', [{ ...own, name: 'renamed' }], 'safe'],
    [
      'the others that are well are enough',
      ['b', 'c'].map((name) => ({ name, clientURLs: ['WELL'] })).concat(own),
      'safe',
    ],
    [
      'a learner has no vote',
      [
        { name: 'b', clientURLs: ['WELL'] },
        { ...own, isLearner: true },
      ],
      'safe',
    ],
    ['one of two cannot be spared', [{ name: 'b', clientURLs: ['WELL'] }, own], 'lost'],
    ['which one it is cannot be told', [{ name: 'b' }, { name: 'c' }], 'unknown'],
    ['no list', 'nonsense', 'unknown'],
  ] as const) {
    test(what, async (t) => {
      const time = { seconds: 0 };
      const url = await member(
        t,
        time,
        ownMember(() => closed),
      );
      const list: unknown = JSON.parse(JSON.stringify(members).replaceAll('WELL', url));
      const peer = await member(t, time, (path) =>
        path === '/members' ? { status: 200, body: list } : { status: 404, body: 'not found' },
      );
      const peers = { url: new URL(peer), tls: undefined };
      const outcome = await asked(url, time, { peers });
      assert.equal(outcome.answer.answer, answer);
      assert.equal(outcome.seconds, answer === 'unknown' ? 30 : 0);
    });
  }
});

test('a member that has seen no leader for ten seconds is not what holds the quorum', async (t) => {
  for (const [leader, expected] of [
    [0, 'safe'],
    // An alarm makes it unhealthy too.
    [1, 'lost'],
  ] as const) {
    const time = { seconds: 0 };
    const metrics = `etcd_server_has_leader_x 1\netcd_server_has_leader ${String(leader)}\n`;
    const url = await member(
      t,
      time,
      ownMember(
        () => listOf(['second', 'http://127.0.0.1:1']),
        (path) =>
          path === '/metrics' ? { status: 200, body: metrics } : { status: 503, body: { health: 'false' } },
      ),
    );
    const { answer, seconds } = await asked(url, time);
    assert.deepEqual([answer.answer, seconds], [expected, 10]);
  }
});

describe('members with plain http URLs for clients', () => {
  for (const [what, health, expected] of [
    ['well: this one can be spared', well, 'safe'],
    ['one is not: it cannot', { status: 404, body: 'not found' }, 'lost'],
  ] as const) {
    test(what, async (t) => {
      const time = { seconds: 0 };
      const second = await member(t, time, () => well);
      const third = await member(t, time, () => health);
      // A socket of the machine is no URL that can be asked.
      const url = await member(
        t,
        time,
        ownMember(() => listOf(['second', 'unix://second', second], ['third', third])),
      );
      const { answer } = await asked(url, time);
      assert.equal(answer.answer, expected);
      if (answer.answer === 'lost') {
        assert.match(answer.reason, /\(not healthy: third: HTTP 404 at http:\/\/\S+\/health\)$/);
      }
    });
  }

  test('a member that wants TLS is not asked where no CA is known', async (t) => {
    const time = { seconds: 0 };
    const url = await member(
      t,
      time,
      ownMember(() => listOf(['second', 'https://127.0.0.1:1'], ['third'])),
    );
    const { answer } = await asked(url, time, { patienceMs: 0 });
    assert.deepEqual(answer, {
      answer: 'lost',
      reason:
        'of 3 members, 0 would be left, and 2 are needed ' +
        '(not healthy: second: no CA is known at https://127.0.0.1:1/health; third: it has no URL for clients)',
    });
  });
});

describe('a member that answers otherwise than HTTP does', () => {
  for (const [title, text, said] of [
    [
      'another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      /something else than HTTP/,
    ],
    ['half an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{', /connection reset/],
    ['an answer too large', 'HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n', /larger than 1 MiB/],
  ] as const) {
    test(`${title}: it cannot be told`, async (t) => {
      const server = createTcpServer((socket) => {
        socket.on('error', () => undefined).once('data', () => socket.end(text));
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.after(() => server.close());
      const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
      const { answer } = await asked(url, { seconds: 0 }, { patienceMs: 0 });
      assert.ok(answer.answer === 'unknown', answer.answer);
      assert.match(answer.reason, said);
    });
  }
});

describe('the quorum before a rotation', () => {
  const now = (url: string): Promise<QuorumAnswer> =>
    quorumNow({ url: new URL(url), tls: undefined, peers: undefined, name: 'own' });
  const time = { seconds: 0 };

  test('is there with a healthy member alone, and where others are left', async (t) => {
    const alone = await member(
      t,
      time,
      ownMember(() => listOf()),
    );
    assert.deepEqual(await now(alone), { answer: 'safe' });
    const others = await Promise.all([member(t, time, () => well), member(t, time, () => well)]);
    const three = await member(
      t,
      time,
      ownMember(() => listOf(...others.map((url) => ['other', url] as const))),
    );
    assert.deepEqual(await now(three), { answer: 'safe' });
  });

  test('is lost where the member says so, and where too few would be left', async (t) => {
    const ill = { status: 503, body: { health: 'false', reason: 'RAFT NO LEADER' } };
    const lone = await member(
      t,
      time,
      ownMember(
        () => listOf(),
        () => ill,
      ),
    );
    const lost = await now(lone);
    assert.match(lost.answer === 'lost' ? lost.reason : '', /^HTTP 503 \(RAFT NO LEADER\) at /);
    const other = await member(t, time, () => well);
    const two = await member(
      t,
      time,
      ownMember(() => listOf(['other', other])),
    );
    assert.deepEqual(await now(two), {
      answer: 'lost',
      reason: 'of 2 members, 1 would be left, and 2 are needed',
    });
  });

  test('is not known where the member does not answer: it says nothing of the others', async () => {
    assert.equal((await now('http://127.0.0.1:9')).answer, 'unknown');
  });
});
