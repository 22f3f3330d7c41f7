/** The whole service in this process, on a free port, with a database of its own. */
import "./master_key.ts";
import { type Config, folderUrl, loadConfig } from "../../configs/mod.ts";
import { type Service, startService } from "../../main.ts";
import { temporaryFolder } from "./store.ts";

export const PROJECT = new URL("../../", import.meta.url);

/** The questionnaire that the reference documents, as a client reads it from JSON. */
export const EXAMPLE = {
  birthdate: "1988-07-21 00:00:00.0000000",
  education: "Высшее - специалист",
  employment_status: "Работаю по найму полный рабочий день\\/служу",
  value: "9 - 10 лет",
  jobstartdate: "2013-09-01 00:00:00.0000000",
  position: "начальник п",
  monthprofit: 180000.0,
  monthexpense: 100000.0,
  gender: 0,
  family_status: "Никогда в браке не состоял(а)",
  childcount: 0,
  snils: 0,
  merch_code: 77,
  loan_amount: 137000.0,
  loan_term: 18.0,
  goods_category: "Furniture",
} as const;

export const EXAMPLE_ID = "0bf47865db14802e29de4d4f769c00b97966a691";

export function readConfig(folder = "configs"): Config {
  return loadConfig({
    folder: folderUrl(folder, PROJECT),
    env: {},
    readText: (file) => Deno.readTextFileSync(file),
  });
}

export interface TestService extends AsyncDisposable {
  readonly service: Service;
  /** Body and status of a request to the service. */
  get(path: string): Promise<Answer>;
  post(body: unknown): Promise<Answer>;
  /** Uploads, waits until the task is finished, and gives the result's body. */
  score(body: unknown): Promise<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any -- tests look into bodies of every shape
  readonly body: any;
}

export async function startTestService(
  config: Config,
  { databaseUrl }: { databaseUrl?: string } = {},
): Promise<TestService> {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(await temporaryFolder());
  const service = await startService({
    ...config,
    service: {
      ...config.service,
      port: 0,
      databaseUrl: databaseUrl ?? `file:${folder.path}/data/prescore.db`,
    },
  });
  resources.defer(() => service.stop());
  const running = resources.move();
  const get = (path: string) => answer(`${service.url}${path}`);
  const post = (body: unknown) =>
    answer(`${service.url}/upload_features`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  return {
    service,
    get,
    post,
    async score(body) {
      const { body: { task_id } } = await post(body);
      const deadlineMs = Date.now() + 10_000;
      while ((await get(`/check_task?task_id=${task_id}`)).body !== true) {
        if (Date.now() > deadlineMs) throw new Error(`task ${task_id} has no result after 10 s`);
      }
      return (await get(`/get_result?task_id=${task_id}`)).body;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function answer(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}
