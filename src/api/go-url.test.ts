import { expect, test } from "vitest";
import { escapedPath, type GoUrl, parseRequestUrl, queryValues } from "./go-url.ts";

test.each([
  ["", 'parse "": empty url'],
  ["a/b", 'parse "a/b": invalid URI for request'],
  [":a", 'parse ":a": missing protocol scheme'],
  ["https://a:b:c/", 'parse "https://a:b:c/": invalid port ":c" after host'],
  ["https://[::1/", "parse \"https://[::1/\": missing ']' in host"],
  ["https://[::1]x/", 'parse "https://[::1]x/": invalid port "x" after host'],
  ["https://a b/", 'parse "https://a b/": invalid character " " in host name'],
  ["https://a/%zz", 'parse "https://a/%zz": invalid URL escape "%zz"'],
  ["https://a%20b/", 'parse "https://a%20b/": invalid URL escape "%20"'],
  ["https://u^@a/", 'parse "https://u^@a/": net/url: invalid userinfo'],
  ["https://a/\n", 'parse "https://a/\\n": net/url: invalid control character in URL'],
])("a URL that is none: %j", (text, fault) => expect(parseRequestUrl(text)).toBe(fault));

test.each([
  ["https://u:p@a.b:80/c d?e=f#g", { scheme: "https", host: "a.b:80", path: "/c d", query: "e=f" }],
  ["/only/a/path?x", { scheme: "", host: "", path: "/only/a/path", query: "x" }],
  ["HTTP://[::1]:80", { scheme: "http", host: "[::1]:80", path: "", query: "" }],
  ["mailto:a@b", { scheme: "mailto", host: "", path: "", query: "" }],
])("the parts of %s", (text, parts) => expect(parseRequestUrl(text)).toEqual(parts));

test("a path is escaped as a whole if anything in it has to be", () => {
  const of = (path: string) => escapedPath({ path } as GoUrl);
  expect([of("/a(b)"), of("/a (b)"), of("/ä/%2F"), of("/[x]")]).toEqual(["/a(b)", "/a%20%28b%29", "/%C3%A4//", "/[x]"]);
});

test("pairs of a query that cannot be read are left out", () => {
  const query = "a=1&a=2&b&c=%zz&d;e=f&g+h=i%20j";
  expect(Object.fromEntries(queryValues({ query } as GoUrl))).toEqual({ a: ["1", "2"], b: [""], "g h": ["i j"] });
});
