// One buffer for all records of a batch, and where each of them ends.

const encoder = new TextEncoder();
const FIRST_BYTES = 1 << 16;

export class Records {
  #data = new Uint8Array(FIRST_BYTES);
  #length = 0;
  #ends = [];
  #rejected = [];

  /** Adds the next event's record: text or bytes. */
  add(record) {
    if (typeof record !== 'string' && !(record instanceof Uint8Array)) {
      throw new TypeError(`format has to return a string or a Uint8Array, not ${typeof record}`);
    }
    if (record.length === 0) throw new Error('format returned an empty record; throw Rejected with a reason instead');
    if (typeof record === 'string') this.#addText(record);
    else this.#addBytes(record);
    this.#ends.push(this.#length);
  }

  /** Leaves the next event, which is the one at `index`, without a record. */
  reject(index, reason) {
    this.#ends.push(this.#length);
    this.#rejected.push({ index, reason });
  }

  finish() {
    return {
      data: this.#data.subarray(0, this.#length),
      ends: Uint32Array.from(this.#ends),
      rejected: this.#rejected,
    };
  }

  #addText(record) {
    // A UTF-16 unit becomes three bytes of UTF-8 at most.
    this.#reserve(record.length * 3);
    this.#length += encoder.encodeInto(record, this.#data.subarray(this.#length)).written;
  }

  #addBytes(record) {
    this.#reserve(record.length);
    this.#data.set(record, this.#length);
    this.#length += record.length;
  }

  #reserve(bytes) {
    const needed = this.#length + bytes;
    if (needed <= this.#data.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#data.length * 2));
    larger.set(this.#data.subarray(0, this.#length));
    this.#data = larger;
  }
}
