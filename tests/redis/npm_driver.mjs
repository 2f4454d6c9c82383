// npm's redis drives the module: add, search, attributes, remove, in RESP2 and RESP3.
// usage: node npm_driver.mjs PORT CLUSTER_PORT
import assert from 'node:assert/strict';
import { createClient, createCluster } from 'redis';

async function drive(client, name) {
  for (const key of [`${name}-films`, `${name}-songs`, `{${name}}one`]) {
    assert.equal(await client.vAdd(key, [1, 0], 'a', { SETATTR: { year: 1984 } }), true);
    assert.equal(await client.vAdd(key, [0, 1], 'b', { QUANT: 'Q8', EF: 100, M: 16, CAS: true }), true);
    assert.equal(await client.vAdd(key, [0, 2], 'b'), false);
    assert.equal(await client.vCard(key), 2);
    assert.equal(await client.vDim(key), 2);
    assert.deepEqual(await client.vSim(key, [1, 0]), ['a', 'b']);
    assert.deepEqual(await client.vSim(key, 'b', { COUNT: 1, EF: 50, TRUTH: true }), ['b']);
    assert.deepEqual({ ...(await client.vSimWithScores(key, 'a')) }, { a: 1, b: 0.5 });
    assert.deepEqual(await client.vSim(key, 'b', { FILTER: '.year > 1980', 'FILTER-EF': 10 }), ['a']);
    assert.deepEqual(await client.vGetAttr(key, 'a'), { year: 1984 });
    assert.equal(await client.vGetAttr(key, 'b'), null);
    assert.equal(await client.vSetAttr(key, 'b', { year: 1990 }), true);
    assert.deepEqual(await client.vSim(key, 'b', { FILTER: '.year > 1980' }), ['b', 'a']);
    assert.deepEqual(await client.vEmb(key, 'b'), [0, 2]);
    const raw = await client.vEmbRaw(key, 'b');
    assert.equal(raw.l2Norm, 2);
    const info = await client.vInfo(key);
    assert.equal(info['vector-dim'], 2);
    assert.equal(info.size, 2);
    assert.ok(Array.isArray(await client.vLinks(key, 'a')));
    assert.ok(Array.isArray(await client.vLinksWithScores(key, 'a')));
    assert.ok(['a', 'b'].includes(await client.vRandMember(key)));
    assert.equal((await client.vRandMember(key, 2)).length, 2);
    assert.equal(await client.vRem(key, 'a'), true);
    assert.equal(await client.vRem(key, 'a'), false);
    assert.equal(await client.exists(key), 1);
    await assert.rejects(client.vAdd(key, [1, 0, 0], 'c'), {
      message: 'ERR Vector dimension mismatch - got 3 but set has 2',
    });
    assert.equal(await client.vRem(key, 'b'), true);
    assert.equal(await client.exists(key), 0);
  }
}

const [port, clusterPort] = process.argv.slice(2);
for (const RESP of [2, 3]) {
  const client = createClient({ url: `redis://127.0.0.1:${port}`, RESP });
  await client.connect();
  await drive(client, `plain${RESP}`);
  await client.close();
  const cluster = createCluster({
    rootNodes: [{ url: `redis://127.0.0.1:${clusterPort}` }],
    defaults: { RESP },
    RESP,
  });
  await cluster.connect();
  await drive(cluster, `cluster${RESP}`);
  await cluster.close();
  console.log(`RESP${RESP}: done`);
}
