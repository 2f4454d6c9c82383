// One vector set over many servers of a Redis or Valkey cluster: P keys `name:{tag}`, asked together.
//
//   const cluster = createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:7000' }] });  // npm's redis
//   const index = await SlicedIndex.create(cluster, 'films', { slices: 6, dimension: 384 });
//   await index.add('alien', vector);
//   await index.search(vector, 10);     // [{ element: 'alien', score: 1 }, ...], best first
//
// The same keys, hash and merge as the client for Python: an index made by one is the other's, too. What
// happens to a command while a slot moves or a server is away is npm redis' own: it follows MOVED and ASK.
// Elements are strings or Buffers; search() answers strings, in which what is no UTF-8 is U+FFFD.

const SLOTS = 16384;
const BYTES = { typeMapping: { ['$'.charCodeAt(0)]: Buffer } };  // RESP_TYPES.BLOB_STRING: replies as they are
const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz';

// All fields or none, whoever else creates it and whatever ends this process.
const CREATE = `
if redis.call('HEXISTS', KEYS[1], 'dim') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'slices', ARGV[1], 'dim', ARGV[2], 'options', ARGV[3])
return 1
`;

const crc32Table = Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte >>> 0;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ crc32Table[(crc ^ byte) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}

// The slot of a key without a tag: CRC16 (XMODEM) modulo 16384.
function slotOf(text) {
  let crc = 0;
  for (let i = 0; i < text.length; i++) {
    crc ^= text.charCodeAt(i) << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
  return crc % SLOTS;
}

function* texts(length) {
  if (length === 0) return yield '';
  for (const head of texts(length - 1)) for (const digit of DIGITS) yield head + digit;
}

// The tags of `slices` keys, whose slots are the middles of as many equal ranges (1 to 16384).
export function tags(slices) {
  if (!Number.isInteger(slices) || slices < 1 || slices > SLOTS) {
    throw new RangeError(`${slices} slices: 1 to ${SLOTS} are possible`);
  }
  const wanted = Array.from({ length: slices }, (_, i) => Math.floor(((2 * i + 1) * SLOTS) / (2 * slices)));
  const found = new Map(wanted.map((slot) => [slot, undefined]));
  let left = slices;
  for (let length = 1; left > 0; length++) {
    for (const tag of texts(length)) {
      const slot = slotOf(tag);
      if (!found.has(slot) || found.get(slot) !== undefined) continue;
      found.set(slot, tag);
      if (--left === 0) break;
    }
  }
  return wanted.map((slot) => found.get(slot));
}

// The `count` best of arrays of { element, score }: score down, element up (by its bytes).
export function merge(answers, count) {
  const above = (a, b) => b.score - a.score || Buffer.compare(Buffer.from(a.element), Buffer.from(b.element));
  return answers.flat().sort(above).slice(0, count);
}

export class SlicedIndex {
  // Opens an index; throws where there is none of that name.
  static async open(cluster, name) {
    const meta = await cluster.hGetAll(name);
    if (!meta.slices || !meta.dim) throw new Error(`there is no index '${name}'`);
    const index = new SlicedIndex();
    const options = (meta.options ?? '').split(' ').filter(Boolean);
    Object.assign(index, { cluster, name, options, slices: Number(meta.slices), dimension: Number(meta.dim) });
    index.keys = tags(index.slices).map((tag) => `${name}:{${tag}}`);
    return index;
  }

  // A new, empty index; `options` are words of VADD: NOQUANT, Q8, M n, EF n. Throws where there is one.
  static async create(cluster, name, { slices, dimension, options = [] }) {
    tags(slices);
    const fields = [String(slices), String(dimension), options.join(' ')];
    const created = await cluster.eval(CREATE, { keys: [name], arguments: fields });
    if (!created) throw new Error(`there is an index '${name}' already`);
    return SlicedIndex.open(cluster, name);
  }

  // The key that `element` belongs to.
  key(element) {
    return this.keys[crc32(Buffer.from(element)) % this.slices];
  }

  blob(vector) {
    if (vector.length !== this.dimension) {
      throw new RangeError(`${vector.length} components; the index has ${this.dimension}`);
    }
    const blob = Buffer.alloc(4 * vector.length);
    vector.forEach((component, i) => blob.writeFloatLE(component, 4 * i));
    return blob;
  }

  // True if the element is new, false if its vector was replaced. `attribute` is a string of JSON.
  async add(element, vector, attribute) {
    const words = ['VADD', this.key(element), 'FP32', this.blob(vector), element, ...this.options];
    if (attribute !== undefined) words.push('SETATTR', attribute);
    return Boolean(await this.#send(false, words));
  }

  // True if it was there.
  async remove(element) {
    return Boolean(await this.#send(false, ['VREM', this.key(element), element]));
  }

  // The vector as an array, or null.
  async vector(element) {
    return (await this.#send(true, ['VEMB', this.key(element), element]))?.map(Number) ?? null;
  }

  async count() {
    return (await Promise.all(this.keys.map((key) => this.cluster.vCard(key)))).reduce((a, b) => a + b);
  }

  // The `count` best as { element, score }, best first; any key that cannot be asked rejects. `ef` is for
  // each key: about max(count, ef of one graph / sqrt(slices)) finds as much.
  async search(vector, count = 10, { ef, options = [] } = {}) {
    return merge(await Promise.all(this.#ask(vector, count, ef, options)), count);
  }

  // search() over the keys that answer, and a Map of the others: key -> error.
  async searchPartial(vector, count = 10, { ef, options = [] } = {}) {
    const answers = await Promise.allSettled(this.#ask(vector, count, ef, options));
    const hits = merge(answers.map((answer) => answer.value ?? []), count);
    const failed = this.keys.map((key, i) => [key, answers[i].reason]).filter(([, reason]) => reason);
    return { hits, failures: new Map(failed) };
  }

  #ask(vector, count, ef, options) {
    const more = ['WITHSCORES', 'COUNT', String(count), ...(ef ? ['EF', String(ef)] : []), ...options];
    const blob = this.blob(vector);
    return this.keys.map(async (key) => pairs(await this.#send(true, ['VSIM', key, 'FP32', blob, ...more])));
  }

  // A copy with another number of keys, by another name: how P is changed. What is written meanwhile is
  // not carried over: hold writers, switch readers, then drop() the old one.
  async copy(name, slices) {
    const { cluster, dimension, options } = this;
    const copied = await SlicedIndex.create(cluster, name, { slices, dimension, options });
    for (const key of this.keys) {
      for (let start = '-', names; ; start = Buffer.concat([Buffer.from('('), names.at(-1)])) {
        names = await this.#send(true, ['VRANGE', key, start, '+', '500'], BYTES);
        await Promise.all(names.map(async (element) => {
          const [vector, attribute] = await Promise.all([
            this.vector(element), this.#send(true, ['VGETATTR', key, element], BYTES),
          ]);
          if (vector) await copied.add(element, vector, attribute ?? undefined);
        }));
        if (names.length < 500) break;
      }
    }
    return copied;
  }

  // Deletes the keys and the hash that describes them.
  async drop() {
    await Promise.all([...this.keys, this.name].map((key) => this.cluster.unlink(key)));
  }

  // A primary that becomes a replica ends searches that are under way with UNBLOCKED: once more, then.
  async #send(readOnly, words, options) {
    try {
      return await this.cluster.sendCommand(words[1], readOnly, words, options);
    } catch (error) {
      if (!readOnly || !/^UNBLOCKED/.test(error.message)) throw error;
      return this.cluster.sendCommand(words[1], readOnly, words, options);
    }
  }
}

// VSIM's answer with scores: a flat array in RESP2, a map (an object, or what the client makes of it) in RESP3.
function pairs(reply) {
  if (Array.isArray(reply)) {
    return reply.flatMap((element, i) => (i % 2 ? [] : [{ element, score: Number(reply[i + 1]) }]));
  }
  const entries = reply instanceof Map ? [...reply] : Object.entries(reply);
  return entries.map(([element, score]) => ({ element, score: Number(score) }));
}
