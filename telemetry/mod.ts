/** What the service says of itself: metrics, and a line for each request. */
export { Counter, Histogram, Registry } from "./metrics.ts";
export { type LoggedRequest, RequestLog } from "./request_log.ts";
export { ServiceMetrics } from "./service_metrics.ts";
