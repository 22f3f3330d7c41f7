/** Takes what OpenTelemetry exports over HTTP as JSON, and keeps it. */

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** Nanoseconds since the epoch. */
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly {
    readonly key: string;
    readonly value: Readonly<Record<string, unknown>>;
  }[];
}

export interface OtlpReceiver extends AsyncDisposable {
  readonly url: string;
  /** Every body that came, with its path. */
  readonly bodies: readonly { readonly path: string; readonly text: string }[];
  readonly spans: readonly ReceivedSpan[];
  /** Resolves when the spans that came are enough. */
  until(enough: (spans: readonly ReceivedSpan[]) => boolean): Promise<void>;
}

interface Traces {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[];
  }[];
}

export function startOtlpReceiver(): OtlpReceiver {
  const bodies: { path: string; text: string }[] = [];
  const spans: ReceivedSpan[] = [];
  let tell = () => {};
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname: path } = new URL(request.url);
    const text = await request.text();
    bodies.push({ path, text });
    if (path === "/v1/traces") {
      const { resourceSpans }: Traces = JSON.parse(text);
      spans.push(
        ...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
      );
    }
    tell();
    return Response.json({});
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    bodies,
    spans,
    async until(enough) {
      while (!enough(spans)) await new Promise<void>((resolve) => tell = resolve);
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
