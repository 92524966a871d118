/** Who does not know the secret of an endpoint is refused before anything else of the request is looked at. */
import { describe, expect, it } from "vitest";
import type { StatusError } from "#api/status-error.ts";
import { caPath, joinPath } from "./join.ts";
import { type OwnEndpoints, answerOwn, hookPath } from "./own-endpoints.ts";
import type { ServerRequest } from "./request.ts";

let hooks = 0;
const own = {
  ca: { cert: "the CA" },
  joinSecret: "s3cret",
  hookSecret: "h00k",
  onHook: () => (hooks += 1),
} as unknown as OwnEndpoints;

/** What a request hears, and whether its body was read. */
async function ask(method: string, path: string, authorization?: string) {
  let wasRead = false;
  const request = {
    method,
    path,
    header: () => authorization,
    body: () => {
      wasRead = true;
      return Promise.resolve(Buffer.from("no JSON"));
    },
  } as unknown as ServerRequest;
  const code = await (answerOwn(own, request) ?? Promise.resolve({ code: 0 })).then(
    (answer) => (answer as { code: number }).code,
    (error: StatusError) => error.status.code,
  );
  return { code, wasRead };
}

describe("own endpoints", () => {
  it.each([undefined, "", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret1", "Bearer K10::node:", "Basic s3cret"])(
    "joining takes no token like %j, and no body with it",
    async (authorization) => {
      expect(await ask("POST", joinPath, authorization)).toEqual({ code: 401, wasRead: false });
    },
  );

  it("joining reads the body of who knows the secret", async () => {
    expect(await ask("POST", joinPath, "Bearer s3cret")).toEqual({ code: 400, wasRead: true });
  });

  it.each(["", "h00", "h00k1", "H00K", "h00k/", "../h00k"])("a hook called %j is none", async (name) => {
    expect(await ask("POST", `${hookPath}${name}`)).toEqual({ code: 404, wasRead: false });
    expect(hooks).toBe(0);
  });

  it("the CA is for everybody, other methods and paths are the API's", async () => {
    expect((await ask("GET", caPath)).code).toBe(200);
    for (const [method, path] of [
      ["GET", joinPath],
      ["GET", `${hookPath}h00k`],
      ["POST", caPath],
      ["GET", "/capstan/v1"],
    ] as const)
      expect((await ask(method, path, "Bearer s3cret")).code).toBe(0);
  });

  it("the hook that is known is called once", async () => {
    expect((await ask("POST", `${hookPath}h00k`)).code).toBe(200);
    expect(hooks).toBe(1);
  });
});
