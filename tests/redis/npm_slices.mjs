// The reference client for Node on a cluster, beside an index that the client for Python made: "python",
// 6 keys of 8 components, elements "e0" to "e199" with the vectors of vector(i).
// The indexes that it makes have names that begin with PREFIX.
// usage: node npm_slices.mjs CLIENT PORT PREFIX
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { createCluster } from 'redis';

const [client, port, prefix] = process.argv.slice(2);
const { SlicedIndex, merge, tags } = await import(pathToFileURL(client));

const vector = (seed) => Array.from({ length: 8 }, (_, i) => ((seed * 31 + i * 17 + seed * i) % 97) - 48);

assert.deepEqual(tags(6), ['3kw', '17p', '5ab', '1i1', '356', 'bit']);
assert.equal(new Set(tags(500)).size, 500);
assert.throws(() => tags(0), RangeError);
const one = [{ element: 'b', score: 0.5 }, { element: 'z', score: 0.25 }];
assert.deepEqual(merge([one, [{ element: 'a', score: 0.5 }]], 2).map((hit) => hit.element), ['a', 'b']);

for (const RESP of [2, 3]) {
  const cluster = createCluster({
    rootNodes: [{ url: `redis://127.0.0.1:${port}` }],
    defaults: { RESP },
    RESP,
  });
  cluster.on('error', () => {});
  await cluster.connect();
  const theirs = await SlicedIndex.open(cluster, 'python');
  assert.equal(await theirs.count(), 200);
  assert.equal(theirs.dimension, 8);
  const name = `${prefix}${RESP}`;
  const ours = await SlicedIndex.create(cluster, name, { slices: 6, dimension: 8, options: ['NOQUANT'] });
  await assert.rejects(SlicedIndex.create(cluster, name, { slices: 6, dimension: 8 }), /already/);
  for (let i = 0; i < 200; i++) {
    assert.equal(ours.key(`e${i}`).slice(name.length), theirs.key(`e${i}`).slice('python'.length));
    assert.equal(await ours.add(`e${i}`, vector(i), i === 7 ? '{"a": 1}' : undefined), true);
    assert.deepEqual(await theirs.vector(`e${i}`), vector(i));
  }
  assert.equal(await ours.add('e7', vector(7)), false);
  const truth = { options: ['TRUTH'] };
  for (const seed of [1000, 1001, 1002]) {
    const found = await ours.search(vector(seed), 10, truth);
    assert.equal(found.length, 10);
    assert.deepEqual(found, await theirs.search(vector(seed), 10, truth));
    // Best first, and as cosines have it.
    const norm = (v) => Math.hypot(...v);
    const cosine = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0) / norm(a) / norm(b);
    const scores = Array.from({ length: 200 }, (_, i) => (1 + cosine(vector(seed), vector(i))) / 2);
    scores.sort((a, b) => b - a);
    found.forEach((hit, i) => assert.ok(Math.abs(hit.score - scores[i]) < 1e-5));
    const approximate = await ours.search(vector(seed), 10, { ef: 50 });
    assert.deepEqual(approximate, found);
  }
  // Names of any bytes, in more than one page of one key.
  const bytes = await SlicedIndex.create(cluster, `${prefix}bytes${RESP}`, { slices: 1, dimension: 8 });
  const odd = Array.from({ length: 600 }, (_, i) => Buffer.from([0xff, i >> 8, i & 0xff, 0xc0]));
  for (const [i, element] of odd.entries()) await bytes.add(element, vector(i), i === 5 ? '{"a": 5}' : undefined);
  const same = await bytes.copy(`${prefix}samebytes${RESP}`, 3);
  assert.equal(await same.count(), 600);
  assert.deepEqual(await same.vector(odd[17]), await bytes.vector(odd[17]));
  assert.equal(await cluster.sendCommand(same.key(odd[5]), true, ['VGETATTR', same.key(odd[5]), odd[5]]), '{"a": 5}');
  await bytes.drop();
  await same.drop();
  const copied = await ours.copy(`${prefix}copy${RESP}`, 4);
  assert.equal(await copied.count(), 200);
  assert.deepEqual(await copied.search(vector(1000), 10, truth), await ours.search(vector(1000), 10, truth));
  assert.equal(await cluster.sendCommand(copied.key('e7'), true, ['VGETATTR', copied.key('e7'), 'e7']), '{"a": 1}');
  assert.equal(await copied.remove('e7'), true);
  assert.equal(await copied.remove('e7'), false);
  assert.equal(await copied.vector('e7'), null);
  // A key that cannot answer: a whole answer fails, a partial one says which.
  await cluster.del(copied.keys[2]);
  await cluster.set(copied.keys[2], 'no vectors');
  await assert.rejects(copied.search(vector(1000), 10), /WRONGTYPE/);
  const { hits, failures } = await copied.searchPartial(vector(1000), 10);
  assert.deepEqual([...failures.keys()], [copied.keys[2]]);
  assert.equal(hits.length, 10);
  await assert.rejects(ours.search([1, 2], 10), /2 components; the index has 8/);
  await copied.drop();
  await assert.rejects(SlicedIndex.open(cluster, copied.name), /there is no index/);
  await cluster.close();
  console.log(`${prefix}${RESP}: done`);
}
