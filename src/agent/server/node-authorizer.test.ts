import { expect, test } from "vitest";
import { subresourcesOf, verbOf } from "./node-authorizer.ts";

test.each([
  ["GET", "exec", "create"],
  ["POST", "exec", "create"],
  ["GET", "attach", "create"],
  ["GET", "portForward", "create"],
  ["GET", "pods", "get"],
  ["DELETE", "x", "delete"],
])("%s of %s needs the right to %s", (method, path, verb) => expect(verbOf(method, [path])).toBe(verb));

test.each([
  ["stats", ["stats"]],
  ["metrics", ["metrics"]],
  ["healthz", ["healthz", "proxy"]],
  ["exec", ["proxy"]],
  ["containerLogs", ["proxy"]],
  ["logs", ["log"]],
  ["configz", ["configz", "proxy"]],
  ["statusz", ["statusz"]],
  ["checkpoint", ["checkpoint"]],
])("%s is %o of a node", (path, subresources) => expect(subresourcesOf([path])).toEqual(subresources));
