/**
 * The heights of very many rows, few of which are known: where each row lies, and which lies where.
 * What is not known is taken to be as high as the estimate. A Fenwick tree holds what the known ones
 * differ from it, so that all questions take logarithmic time.
 */
export class Heights {
  private tree = new Float64Array(1_025);
  private known = new Map<number, number>();
  private rows = 0;

  constructor(private readonly estimate: number) {}

  get count(): number {
    return this.rows;
  }

  /** The height of all rows together. */
  get total(): number {
    return this.before(this.rows);
  }

  /** How many rows there are; heights of those that stay are kept. */
  resize(count: number): void {
    if (count < this.rows) this.known = new Map([...this.known].filter(([row]) => row < count));
    const grown = count >= this.tree.length;
    if (count < this.rows || grown) this.tree = new Float64Array(grown ? Math.max(count + 1, this.tree.length * 2) : this.tree.length);
    const rebuilt = count < this.rows || grown;
    this.rows = count;
    if (rebuilt) for (const [row, height] of this.known) this.add(row, height - this.estimate);
  }

  /** Forgets all heights, as after a change of the width. */
  forget(): void {
    this.known = new Map();
    this.tree.fill(0);
  }

  isKnown(row: number): boolean {
    return this.known.has(row);
  }

  of(row: number): number {
    return this.known.get(row) ?? this.estimate;
  }

  set(row: number, height: number): void {
    const change = height - this.of(row);
    this.known.set(row, height);
    if (change !== 0) this.add(row, change);
  }

  /** The height of all rows before this one. */
  before(row: number): number {
    let sum = row * this.estimate;
    for (let at = row; at > 0; at -= at & -at) sum += this.tree[at] ?? 0;
    return sum;
  }

  /** The row at a height, which is the last one below all rows. */
  at(y: number): number {
    let low = 0;
    let high = Math.max(0, this.rows - 1);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.before(middle) <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private add(row: number, change: number): void {
    for (let at = row + 1; at < this.tree.length; at += at & -at) this.tree[at] = (this.tree[at] ?? 0) + change;
  }
}
