/**
 * Metrics in the text format of Prometheus (version 0.0.4): counters, histograms, and gauges that are read when they are asked for.
 * Labels come from the code alone, never from a request, so there are as many series as the code has names.
 */

/** Values of a metric's labels, in the order of their names. */
type LabelValues = readonly string[];

interface Described {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

interface Metric extends Described {
  readonly type: "counter" | "gauge" | "histogram";
  /** Lines without the heading. */
  samples(): Promise<string[]> | string[];
}

export class Registry {
  readonly #metrics = new Map<string, Metric>();

  /** Names of all metrics, for dashboards and alerts to be checked against. */
  get names(): readonly string[] {
    return [...this.#metrics.keys()];
  }

  counter(described: Described): Counter {
    return this.#add(new Counter(described));
  }

  histogram(described: Described & { readonly buckets: readonly number[] }): Histogram {
    return this.#add(new Histogram(described));
  }

  /** `read` gives each series' labels and value; one that fails leaves the gauge out of this answer. */
  gauge(described: Described & { readonly read: GaugeReader }): void {
    this.#add(new Gauge(described));
  }

  /** The whole text. */
  async text(): Promise<string> {
    const parts = await Promise.all([...this.#metrics.values()].map(async (metric) => {
      const { name, help, type } = metric;
      return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...await metric.samples()];
    }));
    return `${parts.flat().join("\n")}\n`;
  }

  #add<M extends Metric>(metric: M): M {
    if (this.#metrics.has(metric.name)) throw new Error(`the metric ${metric.name} is there twice`);
    this.#metrics.set(metric.name, metric);
    return metric;
  }
}

export class Counter implements Metric {
  readonly type = "counter";
  readonly name: string;
  readonly help: string;
  readonly #labels: LabelTexts;
  readonly #counts = new Map<string, number>();

  constructor({ name, help, labels = [] }: Described) {
    this.name = name;
    this.help = help;
    this.#labels = new LabelTexts(labels);
    if (labels.length === 0) this.#counts.set("", 0);
  }

  add(count = 1, values: LabelValues = []): void {
    const key = this.#labels.of(values);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
  }

  samples(): string[] {
    return [...this.#counts].map(([labels, count]) => sample(this.name, labels, count));
  }
}

export class Histogram implements Metric {
  readonly type = "histogram";
  readonly name: string;
  readonly help: string;
  readonly #labels: LabelTexts;
  readonly #bounds: readonly number[];
  /** By labels: how many values are in each bucket and above all, then their sum. */
  readonly #series = new Map<string, Float64Array>();

  constructor(
    { name, help, labels = [], buckets }: Described & { readonly buckets: readonly number[] },
  ) {
    this.name = name;
    this.help = help;
    this.#labels = new LabelTexts(labels);
    this.#bounds = buckets;
  }

  observe(value: number, values: LabelValues = []): void {
    const key = this.#labels.of(values);
    let cells = this.#series.get(key);
    if (cells === undefined) {
      cells = new Float64Array(this.#bounds.length + 2);
      this.#series.set(key, cells);
    }
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] ?? 0)) bucket++;
    cells[bucket] = (cells[bucket] ?? 0) + 1;
    const sum = this.#bounds.length + 1;
    cells[sum] = (cells[sum] ?? 0) + value;
  }

  samples(): string[] {
    return [...this.#series].flatMap(([labels, cells]) => {
      let count = 0;
      const lines = [...this.#bounds, Infinity].map((bound, at) => {
        count += cells[at] ?? 0;
        const le = `le="${bound === Infinity ? "+Inf" : bound}"`;
        return sample(`${this.name}_bucket`, labels ? `${labels},${le}` : le, count);
      });
      const sum = cells.at(-1) ?? 0;
      return [
        ...lines,
        sample(`${this.name}_sum`, labels, sum),
        sample(`${this.name}_count`, labels, count),
      ];
    });
  }
}

export type GaugeReader = () =>
  | Iterable<readonly [values: LabelValues, value: number]>
  | Promise<Iterable<readonly [values: LabelValues, value: number]>>;

class Gauge implements Metric {
  readonly type = "gauge";
  readonly name: string;
  readonly help: string;
  readonly #labels: readonly string[];
  readonly #read: GaugeReader;

  constructor({ name, help, labels = [], read }: Described & { readonly read: GaugeReader }) {
    this.name = name;
    this.help = help;
    this.#labels = labels;
    this.#read = read;
  }

  async samples(): Promise<string[]> {
    try {
      return [...await this.#read()].map(([values, value]) =>
        sample(this.name, labelText(this.#labels, values), value)
      );
    } catch {
      // Whoever scrapes sees the gap, and the alert on it; the other metrics are needed most then.
      return [];
    }
  }
}

/** The text of each series' labels, made once: the same few are counted with every request. */
class LabelTexts {
  readonly #names: readonly string[];
  readonly #texts = new Map<string, string>();

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  of(values: LabelValues): string {
    const key = values.join("\0");
    let text = this.#texts.get(key);
    if (text === undefined) {
      text = labelText(this.#names, values);
      this.#texts.set(key, text);
    }
    return text;
  }
}

function labelText(names: readonly string[], values: LabelValues): string {
  return names.map((name, at) => `${name}="${escaped(values[at] ?? "")}"`).join(",");
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function sample(name: string, labels: string, value: number): string {
  return `${name}${labels && `{${labels}}`} ${value}`;
}
