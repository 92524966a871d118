import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StatusError } from "#api/status-error.ts";
import { decodeContinue, encodeContinue, tokenCharactersMax } from "./continue-token.ts";

const token = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const v = "meta.k8s.io/v1";

describe("continue tokens", () => {
  it("come back as they went", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1 }),
        fc.stringMatching(/^[a-z0-9.-]{1,40}(\/[a-z0-9-]{1,40})?$/),
        (revision, after) => {
          fc.pre(!after.split("/").some((part) => part === "." || part === ".."));
          expect(decodeContinue(encodeContinue({ revision, after }))).toEqual({ revision, after });
        },
      ),
    );
  });

  it.each([
    ["no base64", "%%%"],
    ["no JSON", "AAAA"],
    ["null", token(null)],
    ["a number", token(3)],
    ["no version", token({ rv: 1, start: "a" })],
    ["another version", token({ v: "v9", rv: 1, start: "a" })],
    ["no revision", token({ v, start: "a" })],
    ["revision 0", token({ v, rv: 0, start: "a" })],
    ["a revision that is no number", token({ v, rv: "1", start: "a" })],
    ["a revision beyond exact numbers", token({ v, rv: 1e30, start: "a" })],
    ["no start", token({ v, rv: 1 })],
    ["an empty start", token({ v, rv: 1, start: "" })],
    ["a start outside", token({ v, rv: 1, start: "../../secrets/kube-system/x" })],
    ["too long", "A".repeat(tokenCharactersMax + 1)],
  ])("that are forged are refused: %s", (_name, text) => {
    expect(() => decodeContinue(text)).toThrow(StatusError);
    expect(() => decodeContinue(text)).toThrow(/^invalid continue token/);
  });

  it("never make anything but a 400 of any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          decodeContinue(text);
        } catch (error) {
          expect((error as StatusError).status.code).toBe(400);
        }
      }),
    );
  });
});
